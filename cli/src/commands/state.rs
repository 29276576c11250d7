//! `sgp state`: looking at the state and mending it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    time::Duration,
};

use clap::ArgMatches;
use sgp_contract::{StateStore as _, Write};
use sgp_engine::Registry;
use sgp_model::{
    Diagnostic, Diagnostics, InstanceAddr, ModulePath, ResourceAddr, State, Type,
    address::{ParsedAddr, parse_address},
    state::RecordKey,
};
use sgp_state::{Access, SchemaHints};

use super::{Exit, import::bad_address};
use crate::{
    args::{flag, lock_timeout, text, texts},
    render::{state_json, state_show},
    session::{Room, data_dir, source_of, store_error},
};

/// Runs one of the commands below `state`.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    match matches.subcommand() {
        Some(("list", sub)) => list(room, sub).await?,
        Some(("show", sub)) => show(room, sub).await?,
        Some(("mv", sub)) => rename(room, sub).await?,
        Some(("rm", sub)) => remove(room, sub).await?,
        Some(("pull", _)) => pull(room).await?,
        Some(("push", sub)) => push(room, sub).await?,
        _ => {
            return Err(Diagnostic::error("Which command?", "sgp state takes list, show, mv, rm, pull or push.").into());
        }
    }
    Ok(0)
}

fn addresses(given: &[String]) -> Result<Vec<ParsedAddr>, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut parsed = Vec::new();
    for text in given {
        match parse_address(text) {
            Ok(addr) => parsed.push(addr),
            Err(why) => diagnostics.push(bad_address(text, &why)),
        }
    }
    if diagnostics.is_empty() { Ok(parsed) } else { Err(diagnostics) }
}

async fn list(room: &Room, matches: &ArgMatches) -> Result<(), Diagnostics> {
    let given = texts(matches, "addrs");
    let wanted = addresses(&given)?;
    let id = text(matches, "id");
    let state = read(room, "state list").await?;
    let unknown = given.iter().zip(&wanted).filter(|(_, w)| !state.instances.keys().any(|k| w.covers(&k.addr)));
    let unknown: Diagnostics = Diagnostics(
        unknown
            .map(|(text, _)| Diagnostic::error("No such object", format!("The state holds nothing at {text}.")))
            .collect(),
    );
    if unknown.has_errors() {
        return Err(unknown);
    }
    for (key, record) in &state.instances {
        let fits = wanted.is_empty() || wanted.iter().any(|w| w.covers(&key.addr));
        let has_id = |id: &String| record.attributes.get("id").and_then(|v| v.as_str()) == Some(id);
        if fits && key.deposed.is_none() && id.as_ref().is_none_or(has_id) {
            room.ui.output.line(&key.addr.to_string());
        }
    }
    Ok(())
}

/// The state as it lies there, without types of the schemas.
async fn read(room: &Room, operation: &str) -> Result<State, Diagnostics> {
    let store = room.store(operation, Access::Read, Duration::ZERO)?;
    store.load().await.map_err(|e| store_error(&e, &data_dir()))
}

async fn show(room: &Room, matches: &ArgMatches) -> Result<(), Diagnostics> {
    let given = text(matches, "addr").unwrap_or_default();
    let wanted = addresses(std::slice::from_ref(&given))?;
    let session = room.looking("state show", Access::Read, Duration::ZERO)?;
    let state = sgp_engine::load_state(&session).await?;
    let found: Vec<_> = state.instances.iter().filter(|(k, _)| wanted.iter().any(|w| w.covers(&k.addr))).collect();
    let [(key, record)] = found.as_slice() else {
        let detail = match found.as_slice() {
            [] => format!("The state holds no object {given}. sgp state list shows what it holds."),
            many => {
                let all: Vec<String> = many.iter().map(|(k, _)| k.addr.to_string()).collect();
                format!("{given} names {} objects; choose one of them: {}.", all.len(), all.join(", "))
            }
        };
        return Err(Diagnostic::error("No single object", detail).into());
    };
    if flag(matches, "json") {
        let attributes = record.attributes.clone().mark_paths(&record.sensitive_paths);
        let json = room.with_facts(|facts| {
            state_json::object(&key.addr, &record.provider.name, record.schema_version, &attributes, facts)
        });
        room.ui.output.line(&json.to_string());
        return Ok(());
    }
    let schemas = |mode, name: &str| room.schema(mode, name);
    room.ui.output.text(&state_show::object(key, record, &schemas, room.ui.paint));
    Ok(())
}

async fn remove(room: &Room, matches: &ArgMatches) -> Result<(), Diagnostics> {
    let wanted = addresses(&texts(matches, "addrs"))?;
    let store = room.store("state rm", Access::Write, lock_timeout(matches))?;
    let state = store.load().await.map_err(|e| store_error(&e, &data_dir()))?;
    let gone: Vec<&RecordKey> = state.instances.keys().filter(|k| wanted.iter().any(|w| w.covers(&k.addr))).collect();
    if gone.is_empty() {
        let detail = "The state holds nothing at these addresses. sgp state list shows what it holds.";
        return Err(Diagnostic::error("Nothing to remove", detail).into());
    }
    let dry = flag(matches, "dry-run");
    for key in &gone {
        room.ui.say(&format!("{} {}", if dry { "Would remove" } else { "Removed" }, shown(key)));
    }
    if dry {
        return Ok(());
    }
    let mut batch: Vec<Write> = gone.iter().map(|k| Write::Remove((*k).clone())).collect();
    batch.push(Write::BumpSerial);
    store.write(batch).await.map_err(|e| store_error(&e, &data_dir()))?;
    room.ui.say(&format!(
        "Removed {}; what they stand for goes on existing.",
        crate::render::paint::plural(gone.len(), "record")
    ));
    Ok(())
}

fn shown(key: &RecordKey) -> String {
    match &key.deposed {
        Some(deposed) => format!("{} (deposed object {deposed})", key.addr),
        None => key.addr.to_string(),
    }
}

async fn rename(room: &Room, matches: &ArgMatches) -> Result<(), Diagnostics> {
    let given = [text(matches, "from").unwrap_or_default(), text(matches, "to").unwrap_or_default()];
    let parsed = addresses(&given)?;
    let [from, to] = parsed.as_slice() else { return Ok(()) };
    let store = room.store("state mv", Access::Write, lock_timeout(matches))?;
    let state = store.load().await.map_err(|e| store_error(&e, &data_dir()))?;
    let moves = plan_moves(&state, from, to)?;
    let dry = flag(matches, "dry-run");
    for (old, new) in &moves {
        room.ui.say(&format!("{} {} to {}", if dry { "Would move" } else { "Moved" }, shown(old), new.addr));
    }
    if dry {
        return Ok(());
    }
    let batch = move_writes(&state, &moves);
    store.write(batch).await.map_err(|e| store_error(&e, &data_dir()))
}

type Moves = Vec<(RecordKey, RecordKey)>;

/// Every record that moves, with its new key.
fn plan_moves(state: &State, from: &ParsedAddr, to: &ParsedAddr) -> Result<Moves, Diagnostic> {
    let invalid = |detail: String| Err(Diagnostic::error("Invalid move", detail));
    let mut moves = Moves::new();
    for key in state.instances.keys() {
        match moved(from, to, &key.addr) {
            Ok(Some(addr)) => moves.push((key.clone(), RecordKey { addr, deposed: key.deposed.clone() })),
            Ok(None) => {}
            Err(why) => return invalid(why),
        }
    }
    if moves.iter().any(|(old, new)| old == new) {
        return invalid("Both addresses are the same.".to_owned());
    }
    if moves.is_empty() {
        return invalid("The state holds nothing at the first address. sgp state list shows what it holds.".to_owned());
    }
    let leaving: BTreeSet<&RecordKey> = moves.iter().map(|(old, _)| old).collect();
    let taken = moves.iter().find(|(_, new)| state.instances.contains_key(new) && !leaving.contains(new));
    if let Some((_, new)) = taken {
        return invalid(format!("The state holds an object {} already. Remove or move that one first.", new.addr));
    }
    let targets: BTreeSet<&RecordKey> = moves.iter().map(|(_, new)| new).collect();
    if targets.len() < moves.len() {
        return invalid("Several instances would get the same address. Move them one by one.".to_owned());
    }
    Ok(moves)
}

/// The new address of an instance, or `None` when it is not meant.
fn moved(from: &ParsedAddr, to: &ParsedAddr, addr: &InstanceAddr) -> Result<Option<InstanceAddr>, String> {
    if !from.covers(addr) {
        return Ok(None);
    }
    let same_type = |new: &ResourceAddr| {
        if new.type_name == addr.resource.type_name && new.mode == addr.resource.mode {
            return Ok(());
        }
        Err(format!("{} and {new} are of different types; an object keeps its type.", addr.resource))
    };
    match (from, to) {
        (ParsedAddr::Module(outer), ParsedAddr::Module(new)) => {
            let module = moved_module(outer, new, &addr.resource.module);
            Ok(Some(InstanceAddr { resource: ResourceAddr { module, ..addr.resource.clone() }, key: addr.key.clone() }))
        }
        (ParsedAddr::Resource(_), ParsedAddr::Resource(new)) => {
            same_type(new)?;
            Ok(Some(new.instance(addr.key.clone())))
        }
        (ParsedAddr::Instance(_), ParsedAddr::Resource(new)) => {
            same_type(new)?;
            Ok(Some(new.instance(None)))
        }
        (ParsedAddr::Resource(_) | ParsedAddr::Instance(_), ParsedAddr::Instance(new)) => {
            same_type(&new.resource)?;
            Ok(Some(new.clone()))
        }
        _ => Err("A module moves to a module, and a resource to a resource.".to_owned()),
    }
}

/// The path with its beginning replaced; keys of repeated calls stay when neither address names one.
fn moved_module(outer: &ModulePath, new: &ModulePath, inner: &ModulePath) -> ModulePath {
    let depth = outer.0.len();
    let mut steps = new.0.to_vec();
    if let (Some(last), Some(was), Some(asked)) = (steps.last_mut(), inner.0.get(depth.wrapping_sub(1)), outer.0.last())
        && last.key.is_none()
        && asked.key.is_none()
    {
        last.key.clone_from(&was.key);
    }
    steps.extend_from_slice(&inner.0[depth..]);
    ModulePath(steps.into())
}

/// Records under their new keys, and every record that depends on a resource that moved.
fn move_writes(state: &State, moves: &Moves) -> Vec<Write> {
    let renamed: BTreeMap<ResourceAddr, ResourceAddr> =
        moves.iter().map(|(old, new)| (old.addr.resource.without_keys(), new.addr.resource.without_keys())).collect();
    let new_keys: BTreeMap<&RecordKey, &RecordKey> = moves.iter().map(|(old, new)| (old, new)).collect();
    let mut batch: Vec<Write> = moves.iter().map(|(old, _)| Write::Remove(old.clone())).collect();
    for (key, record) in &state.instances {
        let new_key = new_keys.get(key).copied().unwrap_or(key);
        let mut new = record.clone();
        for dependency in &mut new.dependencies {
            if let Some(to) = renamed.get(&dependency.without_keys()) {
                *dependency = to.clone();
            }
        }
        if new_key != key || new != *record {
            batch.push(Write::Put(new_key.clone(), Box::new(new)));
        }
    }
    batch.push(Write::BumpSerial);
    batch
}

async fn pull(room: &Room) -> Result<(), Diagnostics> {
    let state = read(room, "state pull").await?;
    room.ui.output.text(&as_v4(room, &state)?);
    Ok(())
}

/// A state as Terraform's state v4 JSON: what `sgp state pull` writes.
///
/// # Errors
/// When it holds what that format cannot.
pub fn as_v4(room: &Room, state: &State) -> Result<String, Diagnostics> {
    sgp_state::to_v4(state, &Hints(&room.registry)).map_err(|e| store_error(&e, &data_dir()))
}

async fn push(room: &Room, matches: &ArgMatches) -> Result<(), Diagnostics> {
    let path = text(matches, "file").unwrap_or_default();
    let read = || {
        if path == "-" {
            let mut text = String::new();
            return std::io::stdin().read_to_string(&mut text).map(|_| text);
        }
        std::fs::read_to_string(&path)
    };
    let text = read().map_err(|e| Diagnostic::error("Unreadable state file", format!("{path}: {e}.")))?;
    let state = sgp_state::from_v4(&text, &Hints(&room.registry)).map_err(|e| store_error(&e, path.as_ref()))?;
    let store = room.store("state push", Access::Write, lock_timeout(matches))?;
    store.replace(state, flag(matches, "force")).await.map_err(|e| store_error(&e, &data_dir()))
}

/// What Terraform's format must know of our types.
struct Hints<'a>(&'a Registry);

impl SchemaHints for Hints<'_> {
    fn dynamic_attributes(&self, type_name: &str) -> Vec<&str> {
        let Some(ty) = self.0.resource_type(type_name) else { return Vec::new() };
        let attributes = ty.schema().block.attributes.iter();
        attributes.filter(|(_, a)| a.ty == Type::Dynamic).map(|(name, _)| *name).collect()
    }

    fn provider_source(&self, name: &str) -> String {
        source_of(self.0, name)
    }

    fn provider_name(&self, source: &str) -> String {
        let ours = self.0.providers().find(|p| p.source() == source).map(|p| p.name());
        ours.unwrap_or_else(|| source.rsplit('/').next().unwrap_or(source)).to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sgp_model::{InstanceRecord, ProviderAddr, Value, address::parse_instance, state::ObjectStatus};

    use super::*;

    fn state(addrs: &[&str]) -> State {
        let record = InstanceRecord {
            provider: ProviderAddr::root("terraform"),
            schema_version: 0,
            attributes: Value::dynamic_null(),
            sensitive_paths: vec![],
            status: ObjectStatus::Ready,
            dependencies: vec![parse_instance("t.a").unwrap().resource],
            create_before_destroy: false,
            skip_destroy: false,
            private: None,
        };
        let instances = addrs.iter().map(|a| (RecordKey::current(parse_instance(a).unwrap()), record.clone()));
        State { instances: instances.collect(), ..State::default() }
    }

    fn check(addrs: &[&str], from: &str, to: &str) -> String {
        let (from, to) = (parse_address(from).unwrap(), parse_address(to).unwrap());
        match plan_moves(&state(addrs), &from, &to) {
            Ok(moves) => moves.iter().map(|(_, new)| new.addr.to_string()).collect::<Vec<_>>().join(" "),
            Err(d) => d.detail,
        }
    }

    #[test]
    fn moves_keep_what_was_not_said() {
        for (addrs, from, to, expected) in [
            (&["t.a"][..], "t.a", "t.b", "t.b"),
            (&["t.a[0]", "t.a[1]"], "t.a", "t.b", "t.b[0] t.b[1]"),
            (&["t.a"], "t.a", "t.b[\"k\"]", "t.b[\"k\"]"),
            (&["t.a[0]", "t.a[1]"], "t.a[0]", "t.a[\"x\"]", "t.a[\"x\"]"),
            (&["t.a[0]"], "t.a[0]", "t.a", "t.a"),
            (
                &["module.m[0].t.a", "module.m[1].module.n.t.a"],
                "module.m",
                "module.k",
                "module.k[0].t.a module.k[1].module.n.t.a",
            ),
            (&["module.m.t.a"], "module.m", "module.k[\"x\"]", "module.k[\"x\"].t.a"),
            (&["t.a"], "t.a", "module.m.t.a", "module.m.t.a"),
        ] {
            assert_eq!(check(addrs, from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn impossible_moves_say_why() {
        for (addrs, from, to, expected) in [
            (&["t.a"][..], "t.x", "t.b", "holds nothing"),
            (&["t.a", "t.b"], "t.a", "t.b", "holds an object t.b already"),
            (&["t.a"], "t.a", "u.a", "different types"),
            (&["t.a[0]"], "t.a[0]", "t.a[0]", "are the same"),
            (&["module.m.t.a"], "module.m", "module.m", "are the same"),
            (&["t.a"], "t.a", "module.m", "A module moves to a module"),
            (&["t.a[0]", "t.a[1]"], "t.a", "t.b[0]", "Several instances"),
        ] {
            assert!(check(addrs, from, to).contains(expected), "{from} {to}: {}", check(addrs, from, to));
        }
    }

    #[test]
    fn dependencies_follow() {
        let state = state(&["t.a", "t.b"]);
        let moves = plan_moves(&state, &parse_address("t.a").unwrap(), &parse_address("t.new").unwrap()).unwrap();
        let batch = move_writes(&state, &moves);
        let follow = |w: &&Write| matches!(w, Write::Put(_, r) if r.dependencies[0].to_string() == "t.new");
        assert_eq!(batch.iter().filter(follow).count(), 2);
    }
}
