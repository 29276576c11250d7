//! What became of conditions, as bytes.

use std::sync::Arc;

use sgp_model::{
    Mode, ModulePath, ResourceAddr,
    checks::{CheckResult, CheckStatus, Checkable, CheckedInstance},
};

use super::{framed, read_instance_key, read_module, read_text, unframed, write_instance_key, write_module};
use crate::wire::{Malformed, Reader, Writer};

/// What became of conditions.
pub(crate) fn encode_checks(checks: &[CheckResult]) -> Result<Vec<u8>, Malformed> {
    framed(|w| {
        w.seq(checks.iter(), |w, CheckResult { block, status, instances }| {
            write_checkable(w, block);
            write_check_status(w, *status);
            w.seq(instances.iter(), |w, CheckedInstance { object, key, status, problems }| {
                write_checkable(w, object);
                write_instance_key(w, key.as_ref());
                write_check_status(w, *status);
                w.seq(problems.iter(), |w, problem| w.text(problem));
            });
        });
    })
}

/// Reads what [`encode_checks`] wrote.
pub(crate) fn decode_checks(bytes: &[u8]) -> Result<Vec<CheckResult>, Malformed> {
    unframed(bytes, |r| {
        r.seq(|r| {
            let (block, status) = (read_checkable(r)?, read_check_status(r)?);
            let instances = r.seq(|r| {
                Ok(CheckedInstance {
                    object: read_checkable(r)?,
                    key: read_instance_key(r)?,
                    status: read_check_status(r)?,
                    problems: r.seq(|r| r.text().map(str::to_owned))?,
                })
            })?;
            Ok(CheckResult { block, status, instances })
        })
    })
}

fn write_checkable(w: &mut Writer, checkable: &Checkable) {
    let (kind, module, name) = match checkable {
        Checkable::Resource(ResourceAddr { module, mode, type_name, name }) => {
            w.byte(0);
            write_module(w, module);
            w.byte(match mode {
                Mode::Managed => 0,
                Mode::Data => 1,
                Mode::Ephemeral => 2,
            });
            w.text(type_name);
            return w.text(name);
        }
        Checkable::OutputValue(module, name) => (1, module, name),
        Checkable::Check(module, name) => (2, module, name),
        Checkable::Var(module, name) => (3, module, name),
    };
    w.byte(kind);
    write_module(w, module);
    w.text(name);
}

fn read_checkable(r: &mut Reader<'_>) -> Result<Checkable, Malformed> {
    let of: fn(ModulePath, Arc<str>) -> Checkable = match r.byte()? {
        0 => {
            let module = read_module(r)?;
            let mode = match r.byte()? {
                0 => Mode::Managed,
                1 => Mode::Data,
                2 => Mode::Ephemeral,
                other => return Err(Malformed::new(format!("mode {other} is not known"))),
            };
            return Ok(Checkable::Resource(ResourceAddr {
                module,
                mode,
                type_name: read_text(r)?,
                name: read_text(r)?,
            }));
        }
        1 => Checkable::OutputValue,
        2 => Checkable::Check,
        3 => Checkable::Var,
        other => return Err(Malformed::new(format!("kind {other} of conditions is not known"))),
    };
    Ok(of(read_module(r)?, read_text(r)?))
}

fn write_check_status(w: &mut Writer, status: CheckStatus) {
    w.byte(match status {
        CheckStatus::Pass => 0,
        CheckStatus::Unknown => 1,
        CheckStatus::Fail => 2,
        CheckStatus::Error => 3,
    });
}

fn read_check_status(r: &mut Reader<'_>) -> Result<CheckStatus, Malformed> {
    Ok(match r.byte()? {
        0 => CheckStatus::Pass,
        1 => CheckStatus::Unknown,
        2 => CheckStatus::Fail,
        3 => CheckStatus::Error,
        other => return Err(Malformed::new(format!("check status {other} is not known"))),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing;

    #[test]
    fn they_come_back() {
        for checks in [Vec::new(), testing::checks()] {
            assert_eq!(decode_checks(&encode_checks(&checks).unwrap()).unwrap(), checks);
        }
        assert!(decode_checks(&[9]).is_err());
    }
}
