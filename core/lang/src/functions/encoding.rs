//! Base64, JSON, YAML, CSV, URLs and character sets.

use std::{fmt::Write as _, io::Write as _};

use base64::{Engine, alphabet, engine::DecodePaddingMode, engine::GeneralPurpose, engine::GeneralPurposeConfig};
use sgp_model::{Type, Value, json, value::Unknown};

use super::{
    csv,
    spec::{Args, Fail, Function, Outcome, Param, Ty, arg_error, error, key, param, text, unknown_of},
    yaml,
};

/// Base64 with padding; last symbols with bits left over are accepted, as Go's decoder does.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

const fn of_text(name: &'static str, returns: Ty, run: fn(&Args) -> Outcome) -> Function {
    const PARAMS: &[Param] = &[param("str", Ty::String)];
    Function { name, params: PARAMS, rest: None, returns, run }
}

pub(super) const TABLE: &[Function] = &[
    of_text("base64decode", Ty::String, base64_decode),
    of_text("base64encode", Ty::String, |a| Ok(BASE64.encode(a.str(0)).into())),
    of_text("base64gunzip", Ty::String, base64_gunzip),
    of_text("base64gzip", Ty::String, base64_gzip),
    of_text("csvdecode", Ty::Any, csv_decode),
    of_text("jsondecode", Ty::Any, |a| json::from_json_text(a.str(0)).map_err(|e| error(e.to_string()))),
    Function {
        name: "jsonencode",
        params: &[param("val", Ty::Any).null().unknown()],
        rest: None,
        returns: Ty::String,
        run: |a| Ok(json_encode(a)),
    },
    Function {
        name: "textdecodebase64",
        params: &[param("source", Ty::String), param("encoding", Ty::String)],
        rest: None,
        returns: Ty::String,
        run: text_decode,
    },
    Function {
        name: "textencodebase64",
        params: &[param("string", Ty::String), param("encoding", Ty::String)],
        rest: None,
        returns: Ty::String,
        run: text_encode,
    },
    of_text("urldecode", Ty::String, url_decode),
    of_text("urlencode", Ty::String, |a| Ok(url_encode(a.str(0)).into())),
    Function {
        name: "yamldecode",
        params: &[param("src", Ty::String)],
        rest: None,
        returns: Ty::Any,
        run: |a| yaml::decode(a.str(0)).map_err(error),
    },
    Function {
        name: "yamlencode",
        params: &[param("value", Ty::Any).null().unknown()],
        rest: None,
        returns: Ty::String,
        run: |a| {
            Ok(if a.value(0).is_wholly_known() { text(&yaml::encode(a.value(0))) } else { unknown_of(Type::String) })
        },
    },
];

/// The bytes that the text stands for; line breaks in it do not count.
pub(super) fn from_base64(encoded: &str) -> Option<Vec<u8>> {
    BASE64.decode(encoded.replace(['\r', '\n'], "")).ok()
}

fn utf8(bytes: Vec<u8>, reason: &str) -> Outcome {
    String::from_utf8(bytes).map(|s| text(&s)).map_err(|_| error(reason))
}

fn base64_bytes(a: &Args) -> Result<Vec<u8>, Fail> {
    from_base64(a.str(0)).ok_or_else(|| error(format!("failed to decode base64 data {:?}", a.str(0))))
}

fn base64_decode(a: &Args) -> Outcome {
    utf8(base64_bytes(a)?, "the result of decoding the provided string is not valid UTF-8")
}

fn base64_gzip(a: &Args) -> Outcome {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let packed = encoder.write_all(a.str(0).as_bytes()).and_then(|()| encoder.finish());
    packed.map(|bytes| BASE64.encode(bytes).into()).map_err(|e| error(e.to_string()))
}

fn base64_gunzip(a: &Args) -> Outcome {
    /// More than any attribute may hold; a few bytes can unpack to gigabytes.
    const LIMIT: u64 = 64 << 20;
    let packed = base64_bytes(a)?;
    let mut bytes = Vec::new();
    let reader = flate2::read::GzDecoder::new(packed.as_slice());
    std::io::Read::read_to_end(&mut std::io::Read::take(reader, LIMIT + 1), &mut bytes)
        .map_err(|e| error(format!("failed to gunzip bytestream: {e}")))?;
    if bytes.len() as u64 > LIMIT {
        return Err(error("the unpacked text is larger than 64 MiB"));
    }
    utf8(bytes, "the result of unpacking the provided string is not valid UTF-8")
}

fn json_encode(a: &Args) -> Value {
    let value = a.value(0);
    if let Ok(encoded) = json::to_json_text(value) {
        return encoded.into();
    }
    // What the text begins with shows in the type already, unless the whole may be null.
    let certain = value.is_known() || value.is_never_null();
    let prefix = match value.ty() {
        Type::Object(_) | Type::Map(_) if certain => "{",
        Type::List(_) | Type::Set(_) | Type::Tuple(_) if certain => "[",
        Type::String if certain => "\"",
        _ => "",
    };
    Unknown::of(Type::String).begins_with(prefix).into_value()
}

fn csv_decode(a: &Args) -> Outcome {
    let mut records = csv::records(a.str(0)).map_err(error)?.into_iter();
    let (_, header) = records.next().ok_or_else(|| error("missing header line"))?;
    let names: Vec<_> = header.iter().map(|name| key(name)).collect();
    if let Some((_, twice)) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
        return Err(error(format!("duplicate column name {twice:?}")));
    }
    let row = |(line, record): (usize, Vec<String>)| {
        if record.len() != names.len() {
            return Err(error(format!("CSV parse error on line {line}: wrong number of fields")));
        }
        Ok(Value::object(names.iter().cloned().zip(record.iter().map(|field| text(field)))))
    };
    let rows = records.map(row).collect::<Result<Vec<_>, Fail>>()?;
    Ok(Value::list(Type::object(names.iter().map(|n| (n.clone(), Type::String))), rows))
}

/// `application/x-www-form-urlencoded`: a space is a plus sign.
fn url_encode(s: &str) -> String {
    let mut out = String::new();
    for byte in s.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => {
                // Writing to a string cannot fail.
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

fn url_decode(a: &Args) -> Outcome {
    let spaced = a.str(0).replace('+', " ");
    let escapes = spaced.split('%').skip(1);
    let complete = |e: &str| e.len() >= 2 && e.bytes().take(2).all(|b| b.is_ascii_hexdigit());
    if let Some(bad) = escapes.into_iter().find(|e| !complete(e)) {
        let shown: String = bad.chars().take(2).collect();
        return Err(error(format!("failed to decode URL: invalid URL escape \"%{shown}\"")));
    }
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8();
    decoded.map(|s| text(&s)).map_err(|_| error("the result of decoding the provided string is not valid UTF-8"))
}

/// A character set by its IANA name or alias.
enum Charset {
    Ascii,
    Latin1,
    Utf16 { big_endian: bool, mark: bool },
    Other(&'static encoding_rs::Encoding),
}

fn charset(a: &Args) -> Result<Charset, Fail> {
    let name = a.str(1);
    match name.to_ascii_uppercase().as_str() {
        "UTF-16" => Ok(Charset::Utf16 { big_endian: true, mark: true }),
        "UTF-16BE" => Ok(Charset::Utf16 { big_endian: true, mark: false }),
        "UTF-16LE" => Ok(Charset::Utf16 { big_endian: false, mark: false }),
        // The web's labels call both of these windows-1252, which is another character set.
        "US-ASCII" | "ASCII" | "ANSI_X3.4-1968" | "ISO646-US" | "ISO-IR-6" | "US" | "CSASCII" => Ok(Charset::Ascii),
        "ISO-8859-1" | "ISO_8859-1" | "ISO_8859-1:1987" | "LATIN1" | "L1" | "ISO-IR-100" => Ok(Charset::Latin1),
        _ => encoding_rs::Encoding::for_label_no_replacement(name.as_bytes())
            .map(Charset::Other)
            .ok_or_else(|| arg_error(1, format!("{name:?} is not a supported IANA encoding name or alias"))),
    }
}

fn text_encode(a: &Args) -> Outcome {
    let source = a.str(0);
    let inexpressible =
        || arg_error(0, format!("the given string contains characters that cannot be represented in {}", a.str(1)));
    let bytes = match charset(a)? {
        Charset::Ascii if source.is_ascii() => source.as_bytes().to_vec(),
        Charset::Ascii => return Err(inexpressible()),
        Charset::Latin1 => {
            source.chars().map(|c| u8::try_from(u32::from(c))).collect::<Result<_, _>>().map_err(|_| inexpressible())?
        }
        Charset::Utf16 { big_endian, mark } => {
            let units = mark.then_some(0xfeff).into_iter().chain(source.encode_utf16());
            units.flat_map(|u| if big_endian { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        }
        Charset::Other(encoding) => {
            let (bytes, _, replaced) = encoding.encode(source);
            if replaced {
                return Err(inexpressible());
            }
            bytes.into_owned()
        }
    };
    Ok(BASE64.encode(bytes).into())
}

fn text_decode(a: &Args) -> Outcome {
    let charset = charset(a)?;
    let bytes = from_base64(a.str(0)).ok_or_else(|| arg_error(0, "the given value is not valid base64"))?;
    let undefined = || arg_error(0, format!("the given string contains symbols that are not defined for {}", a.str(1)));
    let decoded: String = match charset {
        Charset::Ascii if bytes.is_ascii() => bytes.into_iter().map(char::from).collect(),
        Charset::Ascii => return Err(undefined()),
        Charset::Latin1 => bytes.into_iter().map(char::from).collect(),
        Charset::Utf16 { big_endian, mark } => {
            let (bytes, big_endian) = match bytes.as_slice() {
                [0xfe, 0xff, rest @ ..] if mark => (rest, true),
                [0xff, 0xfe, rest @ ..] if mark => (rest, false),
                rest => (rest, big_endian),
            };
            if bytes.len() % 2 != 0 {
                return Err(undefined());
            }
            let unit = |pair: &[u8]| {
                let pair = [pair[0], pair[1]];
                if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
            };
            let units: Vec<u16> = bytes.chunks_exact(2).map(unit).collect();
            String::from_utf16(&units).map_err(|_| undefined())?
        }
        Charset::Other(encoding) => {
            encoding.decode_without_bom_handling_and_without_replacement(&bytes).ok_or_else(undefined)?.into_owned()
        }
    };
    Ok(text(&decoded))
}
