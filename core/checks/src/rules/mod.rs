//! The rules, one file each.

use crate::Rule;

/// Declares the rules and lists them.
macro_rules! rules {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        static RULES: &[&Rule] = &[$(&$name::RULE),*];
    };
}

rules! {
    sgp001,
    sgp002,
    sgp003,
    sgp004,
    sgp008,
    sgp009,
    sgp010,
    sgp011,
    sgp012,
    sgp013,
    sgp017,
    sgp203,
    sgp301,
    sgp302,
    sgp303,
    sgp305,
    sgp308,
    sgp312,
    sgp313,
    sgp317,
    sgp401,
    sgp402,
    sgp404,
    sgp423,
    sgp428,
    sgp501,
    sgp502,
}

/// All rules, by number.
pub fn rules() -> &'static [&'static Rule] {
    RULES
}
