//! `sgp taint` and `sgp untaint`.

use clap::ArgMatches;
use sgp_contract::{StateStore as _, Write};
use sgp_model::{
    Diagnostic,
    address::parse_instance,
    state::{ObjectStatus, RecordKey},
};
use sgp_state::Access;

use super::{Exit, import::bad_address};
use crate::{
    args::{flag, lock_timeout, text},
    session::{Room, data_dir, store_error},
};

/// What the object becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// To be replaced.
    Tainted,
    /// Trusted again.
    Ready,
}

/// Marks one object.
pub async fn run(room: &Room, matches: &ArgMatches, wanted: Wanted) -> Exit {
    let given = text(matches, "addr").unwrap_or_default();
    let addr = parse_instance(&given).map_err(|e| bad_address(&given, &e))?;
    let (verb, status) = match wanted {
        Wanted::Tainted => ("taint", ObjectStatus::Tainted),
        Wanted::Ready => ("untaint", ObjectStatus::Ready),
    };
    let store = room.store(verb, Access::Write, lock_timeout(matches))?;
    let state = store.load().await.map_err(|e| store_error(&e, &data_dir()))?;
    let key = RecordKey::current(addr.clone());
    let Some(record) = state.instances.get(&key) else {
        let detail = format!("The state holds no object {addr}. sgp state list shows what it holds.");
        if flag(matches, "allow-missing") {
            room.ui.diagnostics(&Diagnostic::warning("No such object", detail).into());
            return Ok(0);
        }
        return Err(Diagnostic::error("No such object", detail).into());
    };
    if record.status == status {
        let detail = match wanted {
            Wanted::Tainted => format!("{addr} is tainted already."),
            Wanted::Ready => format!("{addr} is not tainted."),
        };
        return Err(Diagnostic::error("Nothing to do", detail).into());
    }
    let mut record = record.clone();
    record.status = status;
    let batch = vec![Write::Put(key, Box::new(record)), Write::BumpSerial];
    store.write(batch).await.map_err(|e| store_error(&e, &data_dir()))?;
    room.ui.say(&match wanted {
        Wanted::Tainted => format!("{addr} is tainted: the next apply replaces it."),
        Wanted::Ready => format!("{addr} is no longer tainted."),
    });
    Ok(0)
}
