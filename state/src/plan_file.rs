//! Saved plans: what `plan -out` writes and `apply` takes.
//!
//! A zip of two entries. `plan.json` is the plan; `sgp-plan.json` says which format and which version of the tool it is of,
//! and the SHA-256 of the plan's bytes. A plan is applied by the version that made it and by no other: it holds decisions,
//! and another version might have decided otherwise. It holds secrets in the clear, so only its owner may read it.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, BufWriter, Read, Seek, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};
use sgp_model::Plan;
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::STACK_BYTES;

/// What is wrong with a plan file. The path is the caller's to tell.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// The file is something else.
    #[error("this is not a saved plan")]
    NotAPlan,
    /// Another version of the tool made it.
    #[error("this plan was made by sgp {found}, and this is sgp {this}: make a new plan")]
    OtherVersion {
        /// The version that made it.
        found: String,
        /// The version that runs.
        this: &'static str,
    },
    /// It is cut short or changed.
    #[error("this plan is damaged ({0}): make a new plan")]
    Damaged(String),
    /// The disk.
    #[error("{what}: {cause}")]
    Io {
        /// What was attempted.
        what: &'static str,
        /// What the system said.
        cause: io::Error,
    },
}

const HEADER: &str = "sgp-plan.json";
const CONTENT: &str = "plan.json";
const FORMAT: u64 = 1;
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// How deep the JSON of a plan may nest: several levels of JSON for one of a value.
const DEPTH_MAX: usize = 8_000;
/// Every zip archive with an entry begins so.
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

#[derive(Serialize, Deserialize)]
struct Header {
    format: u64,
    version: String,
    sha256: String,
}

/// Writes a plan, readable by its owner only. The file is replaced as a whole or not at all.
///
/// # Errors
/// [`PlanFileError::Io`].
pub fn save(path: &Path, plan: &Plan) -> Result<(), PlanFileError> {
    let temporary = path.with_added_extension("new");
    let write = || {
        let mut file = BufWriter::new(create_private(&temporary)?);
        write_archive(&mut file, plan)?;
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|cause| {
        let _ = fs::remove_file(&temporary);
        PlanFileError::Io { what: "cannot write the plan", cause }
    })
}

fn create_private(path: &Path) -> io::Result<File> {
    // One that a dead process left may have other permissions.
    let _ = fs::remove_file(path);
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn write_archive(file: impl Write + Seek, plan: &Plan) -> io::Result<()> {
    // The lowest level: plans are large and repetitive, and somebody waits.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .large_file(true);
    let mut archive = ZipWriter::new(file);
    archive.start_file(CONTENT, options)?;
    let sha256 = write_content(&mut archive, plan)?;
    archive.start_file(HEADER, options)?;
    serde_json::to_writer(&mut archive, &Header { format: FORMAT, version: VERSION.into(), sha256 })?;
    archive.finish()?;
    Ok(())
}

/// Writes the plan; answers the hash of its bytes.
fn write_content(out: impl Write, plan: &Plan) -> io::Result<String> {
    let mut content = Hashing { inner: BufWriter::with_capacity(1 << 16, out), hash: Sha256::new() };
    stacker::grow(STACK_BYTES, || serde_json::to_writer(&mut content, plan))?;
    content.flush()?;
    Ok(hexadecimal(&content.hash.finalize()))
}

/// Passes bytes on and hashes them.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hash.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, b| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{b:02x}");
        text
    })
}

/// Reads a plan that [`save`] wrote.
///
/// # Errors
/// All of [`PlanFileError`].
pub fn load(path: &Path) -> Result<Plan, PlanFileError> {
    let read = |cause| PlanFileError::Io { what: "cannot read the plan", cause };
    let mut file = File::open(path).map_err(read)?;
    let mut magic = Vec::new();
    (&mut file).take(ZIP_MAGIC.len() as u64).read_to_end(&mut magic).map_err(read)?;
    if magic != ZIP_MAGIC {
        return Err(PlanFileError::NotAPlan);
    }
    let mut archive = ZipArchive::new(file).map_err(|e| damaged(&e))?;
    let header: Header = match archive.index_for_name(HEADER) {
        None => return Err(PlanFileError::NotAPlan),
        Some(_) => serde_json::from_slice(&entry(&mut archive, HEADER)?).map_err(|e| damaged(&e))?,
    };
    if (header.format, header.version.as_str()) != (FORMAT, VERSION) {
        return Err(PlanFileError::OtherVersion { found: header.version, this: VERSION });
    }
    let content = entry(&mut archive, CONTENT)?;
    if hexadecimal(&Sha256::digest(&content)) != header.sha256 {
        return Err(damaged(&"its checksum does not match"));
    }
    if depth(&content) > DEPTH_MAX {
        return Err(damaged(&"its values are nested too deeply"));
    }
    stacker::grow(STACK_BYTES, || {
        let mut reader = serde_json::Deserializer::from_slice(&content);
        // The depth was checked, and the stack is ample for it.
        reader.disable_recursion_limit();
        Plan::deserialize(&mut reader)
    })
    .map_err(|e| damaged(&e))
}

fn damaged(why: &dyn std::fmt::Display) -> PlanFileError {
    PlanFileError::Damaged(why.to_string())
}

fn entry(archive: &mut ZipArchive<File>, name: &str) -> Result<Vec<u8>, PlanFileError> {
    let mut entry = archive.by_name(name).map_err(|e| damaged(&e))?;
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(|e| damaged(&e))?;
    Ok(bytes)
}

/// How deep arrays and objects nest in JSON text.
fn depth(json: &[u8]) -> usize {
    let (mut now, mut max, mut in_string) = (0_usize, 0, false);
    let mut bytes = json.iter();
    while let Some(b) = bytes.next() {
        match b {
            b'\\' if in_string => {
                bytes.next();
            }
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                now += 1;
                max = max.max(now);
            }
            b']' | b'}' if !in_string => now = now.saturating_sub(1),
            _ => {}
        }
    }
    max
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use proptest::prelude::*;
    use sgp_model::{
        Diagnostics, InstanceAddr, InstanceKey, State, Value,
        plan::{Action, DeferredChange, DeferredReason, Op, PlanMode, Reason, ResourceChange, Running, Step, StepId},
    };

    use super::*;
    use crate::testing;

    fn plan(state: State, values: Vec<Value>) -> Plan {
        let changes: Vec<_> = state
            .instances
            .iter()
            .zip(values)
            .map(|((key, record), value)| ResourceChange {
                addr: key.addr.clone(),
                deposed: key.deposed.clone(),
                previous_addr: None,
                provider: record.provider.clone(),
                action: Action::Update,
                reason: Some(Reason::DeleteBecauseCountIndex),
                before: record.attributes.clone(),
                after: value.clone(),
                config: value,
                replace_paths: record.sensitive_paths.clone(),
                importing: None,
                dependencies: record.dependencies.clone(),
                create_before_destroy: true,
            })
            .collect();
        Plan {
            mode: PlanMode::Normal,
            lineage: state.lineage.clone(),
            serial: state.serial,
            config_digest: "00".into(),
            variables: [("v".to_owned(), Value::from("secret").sensitive())].into(),
            ephemeral_variables: Vec::new(),
            timestamp: 1,
            version: "0".into(),
            targets: vec![],
            deferred: changes
                .iter()
                .map(|change| DeferredChange {
                    reason: DeferredReason::InstanceCountUnknown,
                    waits_for: vec!["a.b.id".into()],
                    change: ResourceChange {
                        addr: InstanceAddr { key: Some(InstanceKey::Any {}), ..change.addr.clone() },
                        ..change.clone()
                    },
                    existing: vec![change.addr.clone()],
                })
                .collect(),
            held: vec![StepId(0)],
            open_for: [(sgp_model::address::parse_instance("ephemeral.random_password.p").unwrap(), vec![StepId(0)])]
                .into(),
            skipped_checks: Vec::new(),
            steps: changes.iter().map(|_| Step { change: Some(0), op: Op::Update, after: vec![StepId(0)] }).collect(),
            drift: changes.clone(),
            data: changes.iter().map(|c| (c.addr.clone(), c.after.clone())).collect(),
            changes,
            outputs: std::collections::BTreeMap::new(),
            refreshed: Arc::new(state),
            symbolic: std::collections::BTreeMap::new(),
            preflight: Vec::new(),
            checks: Vec::new(),
            running: Running::default(),
            diagnostics: Diagnostics::new(),
            errored: false,
        }
    }

    fn small() -> Plan {
        plan(State::default(), vec![])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn plans_come_back(
            state in testing::state(),
            values in proptest::collection::vec(testing::value(), 6),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("p");
            let plan = plan(state, values);
            save(&path, &plan).unwrap();
            prop_assert_eq!(load(&path).unwrap(), plan);
        }
    }

    #[test]
    fn deep_values_come_back() {
        std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn(|| {
                let dir = tempfile::tempdir().unwrap();
                let path = dir.path().join("p");
                let tower = (0..400).fold(Value::from(true), |v, _| Value::tuple(vec![v]));
                let mut plan = small();
                plan.variables.insert("tower".into(), tower);
                save(&path, &plan).unwrap();
                assert_eq!(load(&path).unwrap(), plan);
            })
            .unwrap()
            .join()
            .unwrap();
    }

    #[test]
    fn anything_else_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        let refused = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            load(&path).unwrap_err().to_string()
        };
        save(&path, &small()).unwrap();
        let good = fs::read(&path).unwrap();

        assert_eq!(refused(b""), "this is not a saved plan");
        assert_eq!(refused(b"resource \"a\" \"b\" {}"), "this is not a saved plan");
        assert_eq!(refused(&zip_of(&[("word/document.xml", b"<x/>")])), "this is not a saved plan");
        assert_eq!(
            refused(&zip_of(&[(HEADER, br#"{"format":1,"version":"9.9.9","sha256":""}"#)])),
            format!("this plan was made by sgp 9.9.9, and this is sgp {VERSION}: make a new plan")
        );
        let header = format!(r#"{{"format":1,"version":"{VERSION}","sha256":"00"}}"#);
        assert_eq!(
            refused(&zip_of(&[(HEADER, header.as_bytes()), (CONTENT, b"{}")])),
            "this plan is damaged (its checksum does not match): make a new plan"
        );
        for cut in [good.len() - 1, good.len() / 2, 10] {
            assert!(refused(&good[..cut]).starts_with("this plan is damaged ("), "{cut}");
        }
        assert!(matches!(load(&dir.path().join("none")), Err(PlanFileError::Io { .. })));
        assert!(matches!(save(&dir.path().join("no/folder"), &small()), Err(PlanFileError::Io { .. })));
    }

    #[test]
    fn a_changed_byte_never_panics_and_never_changes_the_plan() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        save(&path, &small()).unwrap();
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0x55;
            fs::write(&path, bytes).unwrap();
            if let Ok(plan) = load(&path) {
                assert_eq!(plan, small(), "byte {at}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        fs::write(&path, "older").unwrap();
        save(&path, &small()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            archive.start_file(*name, SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }
}
