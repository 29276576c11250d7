//! The small providers, whose objects live in the state or on this machine. What an id tells of them is in the tests of their room: an
//! object that exists nowhere cannot be found to be gone.

use crate::case::{Case, add, edit};

/// A case of a type that is not imported and has nothing outside.
fn case(name: &'static str, body: &'static str) -> Case {
    Case {
        name,
        around: "",
        body,
        updates: Vec::new(),
        replacements: Vec::new(),
        import: None,
        untold: &[],
        vanish: None,
        beside: &[],
    }
}

const KEEPERS: [&str; 2] = ["keepers = { a = \"1\" }", "keepers = { a = \"2\" }"];

pub fn cloudinit_config() -> Case {
    Case {
        replacements: vec![
            edit("gzip", "gzip = false", "gzip = true"),
            edit("gzip", "gzip = true", "gzip = false"),
            add("base64_encode", "base64_encode = false"),
            add("boundary", "boundary = \"//\""),
            edit("part.content", "\"one\"", "\"two\""),
            edit("part.content_type", "content = \"two\"", "content = \"two\"\n  content_type = \"text/cloud-config\""),
            edit("part.filename", "content = \"two\"", "content = \"two\"\n  filename = \"a.yaml\""),
            edit("part.merge_type", "content = \"two\"", "content = \"two\"\n  merge_type = \"list(append)\""),
        ],
        ..case("cloudinit_config", "gzip = false\npart {\n  content = \"one\"\n}")
    }
}

/// A file, and the same whose content nobody sees.
fn file(name: &'static str) -> Case {
    Case {
        replacements: vec![
            edit("content", "\"one\"", "\"two\""),
            edit("filename", "made/one.txt", "made/two.txt"),
            add("file_permission", "file_permission = \"0600\""),
            add("directory_permission", "directory_permission = \"0750\""),
            edit("content_base64", "content  = \"two\"", "content_base64 = \"dHdv\""),
            edit("source", "content_base64 = \"dHdv\"", "source = \"object.tf\""),
        ],
        ..case(name, "filename = \"made/one.txt\"\ncontent  = \"one\"")
    }
}

pub fn local_file() -> Case {
    let mut case = file("local_file");
    case.replacements.insert(1, edit("sensitive_content", "content  = \"two\"", "sensitive_content = \"two\""));
    case.replacements.insert(2, edit("content", "sensitive_content = \"two\"", "content  = \"two\""));
    case
}

pub fn local_sensitive_file() -> Case {
    file("local_sensitive_file")
}

pub fn null_resource() -> Case {
    Case {
        replacements: vec![
            add("triggers", "triggers = { a = \"1\" }"),
            edit("triggers", "{ a = \"1\" }", "{ a = \"2\", b = \"3\" }"),
        ],
        ..case("null_resource", "")
    }
}

pub fn random_bytes() -> Case {
    Case {
        replacements: vec![
            edit("length", "8", "9"),
            add("keepers", KEEPERS[0]),
            edit("keepers", KEEPERS[0], KEEPERS[1]),
        ],
        ..case("random_bytes", "length = 8")
    }
}

pub fn random_id() -> Case {
    Case {
        replacements: vec![
            edit("byte_length", "8", "9"),
            add("prefix", "prefix = \"a-\""),
            add("keepers", KEEPERS[0]),
            edit("keepers", KEEPERS[0], KEEPERS[1]),
        ],
        ..case("random_id", "byte_length = 8")
    }
}

pub fn random_integer() -> Case {
    Case {
        replacements: vec![
            edit("min", "min = 1", "min = 2"),
            edit("max", "max = 50000", "max = 60000"),
            add("seed", "seed = \"a\""),
            add("keepers", KEEPERS[0]),
        ],
        ..case("random_integer", "min = 1\nmax = 50000")
    }
}

/// What passwords and texts have in common.
fn characters(name: &'static str) -> Case {
    Case {
        replacements: vec![
            edit("length", "length = 12", "length = 16"),
            add("upper", "upper = false"),
            add("lower", "lower = false"),
            add("special", "special = false"),
            edit("upper lower special", "upper = false\nlower = false\nspecial = false", ""),
            add("numeric", "numeric = false"),
            edit("number", "numeric = false", "number = true"),
            add("min_upper", "min_upper = 1"),
            add("min_lower", "min_lower = 2"),
            add("min_numeric", "min_numeric = 3"),
            add("min_special", "min_special = 4"),
            add("override_special", "override_special = \"-_\""),
            add("keepers", KEEPERS[0]),
            edit("keepers", KEEPERS[0], KEEPERS[1]),
        ],
        ..case(name, "length = 12")
    }
}

pub fn random_password() -> Case {
    characters("random_password")
}

pub fn random_string() -> Case {
    characters("random_string")
}

pub fn random_pet() -> Case {
    Case {
        replacements: vec![
            add("length", "length = 3"),
            add("prefix", "prefix = \"a\""),
            add("separator", "separator = \"_\""),
            add("keepers", KEEPERS[0]),
        ],
        ..case("random_pet", "")
    }
}

pub fn random_shuffle() -> Case {
    Case {
        replacements: vec![
            edit("input", "\"c\"", "\"d\""),
            add("result_count", "result_count = 2"),
            add("seed", "seed = \"a\""),
            add("keepers", KEEPERS[0]),
        ],
        ..case("random_shuffle", "input = [\"a\", \"b\", \"c\"]")
    }
}

fn uuid(name: &'static str) -> Case {
    Case { replacements: vec![add("keepers", KEEPERS[0]), edit("keepers", KEEPERS[0], KEEPERS[1])], ..case(name, "") }
}

pub fn random_uuid() -> Case {
    uuid("random_uuid")
}

pub fn random_uuid4() -> Case {
    uuid("random_uuid4")
}

pub fn random_uuid7() -> Case {
    uuid("random_uuid7")
}

pub fn time_offset() -> Case {
    Case {
        updates: vec![
            edit("offset_days", "offset_days = 7", "offset_days = 8"),
            edit("offset_years", "offset_days = 8", "offset_years = 1"),
            edit("offset_months", "offset_years = 1", "offset_months = 1"),
            edit("offset_hours", "offset_months = 1", "offset_hours = 1"),
            edit("offset_minutes", "offset_hours = 1", "offset_minutes = 1"),
            edit("offset_seconds", "offset_minutes = 1", "offset_seconds = 1"),
        ],
        replacements: vec![
            add("base_rfc3339", "base_rfc3339 = \"2020-02-12T06:36:13Z\""),
            add("triggers", "triggers = { a = \"1\" }"),
        ],
        ..case("time_offset", "offset_days = 7")
    }
}

pub fn time_rotating() -> Case {
    Case {
        updates: vec![
            edit("rotation_days", "rotation_days = 30", "rotation_days = 31"),
            edit("rotation_years", "rotation_days = 31", "rotation_years = 2"),
            edit("rotation_months", "rotation_years = 2", "rotation_months = 2"),
            edit("rotation_hours", "rotation_months = 2", "rotation_hours = 50"),
            edit("rotation_minutes", "rotation_hours = 50", "rotation_minutes = 500"),
            edit("rotation_rfc3339", "rotation_minutes = 500", "rotation_rfc3339 = \"2200-02-12T06:36:13Z\""),
        ],
        replacements: vec![
            add("rfc3339", "rfc3339 = \"2020-02-12T06:36:13Z\""),
            add("triggers", "triggers = { a = \"1\" }"),
        ],
        ..case("time_rotating", "rotation_days = 30")
    }
}

pub fn time_sleep() -> Case {
    Case {
        updates: vec![
            edit("create_duration", "1ms", "2ms"),
            add("destroy_duration", "destroy_duration = \"1ms\""),
            edit("destroy_duration", "destroy_duration = \"1ms\"", "destroy_duration = \"3ms\""),
        ],
        replacements: vec![add("triggers", "triggers = { a = \"1\" }")],
        ..case("time_sleep", "create_duration = \"1ms\"")
    }
}

pub fn time_static() -> Case {
    Case {
        replacements: vec![
            add("rfc3339", "rfc3339 = \"2020-02-12T06:36:13Z\""),
            add("triggers", "triggers = { a = \"1\" }"),
        ],
        ..case("time_static", "")
    }
}

const KEYS: &str = r#"
resource "tls_private_key" "k" {
  for_each  = toset(["one", "two"])
  algorithm = "ED25519"
}
"#;

pub fn tls_private_key() -> Case {
    Case {
        replacements: vec![
            edit("algorithm", "\"ED25519\"", "\"ECDSA\"\necdsa_curve = \"P256\""),
            edit("ecdsa_curve", "\"P256\"", "\"P384\""),
            edit("algorithm", "\"ECDSA\"", "\"RSA\""),
            add("rsa_bits", "rsa_bits = 3072"),
        ],
        ..case("tls_private_key", "algorithm = \"ED25519\"")
    }
}

/// Edits of whom a certificate is about.
fn about() -> Vec<crate::case::Edit> {
    const NAME: &str = "common_name = \"a.example.com\"";
    vec![
        add("dns_names", "dns_names = [\"a.example.com\"]"),
        add("ip_addresses", "ip_addresses = [\"10.0.0.1\"]"),
        add("uris", "uris = [\"spiffe://example.com/a\"]"),
        edit("subject.common_name", NAME, "common_name = \"b.example.com\""),
        edit(
            "subject.organization subject.organizational_unit subject.street_address subject.locality subject.province",
            "subject {",
            "subject {\n  organization = \"O\"\n  organizational_unit = \"OU\"\n  street_address = [\"1\", \"2\"]\n  locality = \"L\"\n  province = \"ST\"",
        ),
        edit(
            "subject.country subject.postal_code subject.serial_number subject.email_address",
            "subject {",
            "subject {\n  country = \"DE\"\n  postal_code = \"1\"\n  serial_number = \"2\"\n  email_address = \"a@example.com\"",
        ),
    ]
}

/// Edits of what a certificate is good for.
fn issued() -> Vec<crate::case::Edit> {
    vec![
        edit("allowed_uses", "\"cert_signing\"", "\"cert_signing\", \"server_auth\""),
        edit("validity_period_hours", "= 1000", "= 2000"),
        add("is_ca_certificate", "is_ca_certificate = true"),
        add("max_path_length", "max_path_length = 1"),
        add("set_subject_key_id", "set_subject_key_id = true"),
    ]
}

pub fn tls_cert_request() -> Case {
    let key = edit("private_key_pem", "\"one\"", "\"two\"");
    let unwritten = edit(
        "private_key_pem_wo private_key_pem_wo_version",
        "private_key_pem =",
        "private_key_pem_wo_version = 1\nprivate_key_pem_wo =",
    );
    let again = edit("private_key_pem_wo_version", "wo_version = 1", "wo_version = 2");
    Case {
        around: KEYS,
        replacements: [key].into_iter().chain(about()).chain([unwritten, again]).collect(),
        ..case(
            "tls_cert_request",
            "private_key_pem = tls_private_key.k[\"one\"].private_key_pem\nsubject {\n  common_name = \"a.example.com\"\n}",
        )
    }
}

pub fn tls_self_signed_cert() -> Case {
    let own =
        [edit("private_key_pem", "\"one\"", "\"two\""), add("set_authority_key_id", "set_authority_key_id = true")];
    let unwritten = edit(
        "private_key_pem_wo private_key_pem_wo_version",
        "private_key_pem       =",
        "private_key_pem_wo_version = 1\nprivate_key_pem_wo =",
    );
    Case {
        around: KEYS,
        updates: vec![add("early_renewal_hours", "early_renewal_hours = 5")],
        replacements: issued().into_iter().chain(own).chain(about()).chain([unwritten]).collect(),
        ..case(
            "tls_self_signed_cert",
            r#"
private_key_pem       = tls_private_key.k["one"].private_key_pem
allowed_uses          = ["cert_signing"]
validity_period_hours = 1000
subject {
  common_name = "a.example.com"
}
"#,
        )
    }
}

pub fn tls_locally_signed_cert() -> Case {
    let own = [
        edit("cert_request_pem", "request.this[\"one\"]", "request.this[\"two\"]"),
        edit("ca_private_key_pem ca_cert_pem", "k[\"one\"]", "k[\"two\"]").and("ca[\"one\"]", "ca[\"two\"]"),
        edit(
            "ca_private_key_pem_wo ca_private_key_pem_wo_version",
            "ca_private_key_pem    =",
            "ca_private_key_pem_wo_version = 1\nca_private_key_pem_wo =",
        ),
    ];
    Case {
        around: r#"
resource "tls_private_key" "k" {
  for_each  = toset(["one", "two"])
  algorithm = "ED25519"
}

resource "tls_self_signed_cert" "ca" {
  for_each              = tls_private_key.k
  private_key_pem       = each.value.private_key_pem
  is_ca_certificate     = true
  allowed_uses          = ["cert_signing"]
  validity_period_hours = 5000

  subject {
    common_name = each.key
  }
}

resource "tls_cert_request" "this" {
  for_each        = tls_private_key.k
  private_key_pem = each.value.private_key_pem

  subject {
    common_name = each.key
  }
}
"#,
        updates: vec![add("early_renewal_hours", "early_renewal_hours = 5")],
        replacements: issued().into_iter().chain(own).collect(),
        ..case(
            "tls_locally_signed_cert",
            r#"
cert_request_pem      = tls_cert_request.this["one"].cert_request_pem
ca_private_key_pem    = tls_private_key.k["one"].private_key_pem
ca_cert_pem           = tls_self_signed_cert.ca["one"].cert_pem
allowed_uses          = ["cert_signing"]
validity_period_hours = 1000
"#,
        )
    }
}
