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
    sgp005,
    sgp006,
    sgp007,
    sgp008,
    sgp009,
    sgp010,
    sgp011,
    sgp012,
    sgp013,
    sgp014,
    sgp015,
    sgp016,
    sgp017,
    sgp018,
    sgp020,
    sgp021,
    sgp022,
    sgp023,
    sgp024,
    sgp025,
    sgp027,
    sgp203,
    sgp301,
    sgp302,
    sgp303,
    sgp304,
    sgp305,
    sgp306,
    sgp307,
    sgp308,
    sgp309,
    sgp310,
    sgp311,
    sgp312,
    sgp313,
    sgp314,
    sgp315,
    sgp316,
    sgp317,
    sgp318,
    sgp319,
    sgp320,
    sgp322,
    sgp323,
    sgp324,
    sgp325,
    sgp326,
    sgp327,
    sgp401,
    sgp402,
    sgp403,
    sgp404,
    sgp405,
    sgp406,
    sgp407,
    sgp408,
    sgp409,
    sgp411,
    sgp412,
    sgp413,
    sgp414,
    sgp415,
    sgp416,
    sgp417,
    sgp418,
    sgp423,
    sgp428,
    sgp501,
    sgp502,
}

/// All rules, by number.
pub fn rules() -> &'static [&'static Rule] {
    RULES
}
