//! YAML as `yamlencode` writes it and `yamldecode` reads it.

mod decode;
mod encode;

pub(super) use decode::decode;
pub(super) use encode::encode;
