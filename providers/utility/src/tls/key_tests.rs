//! Keys that OpenSSL and OpenSSH made, and certificates that OpenSSL judges.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use sgp_model::Value;

use super::{
    cert_request::TlsCertRequest, key::Key, locally_signed_cert::TlsLocallySignedCert, private_key::TlsPrivateKey,
    public_key_data, self_signed_cert::TlsSelfSignedCert,
};
use crate::{
    attrs::{self, text},
    in_state::Logical,
    testing::made,
};

/// `ssh-keygen -t ed25519`, thrown away.
const ED25519_OPENSSH: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\nQyNTUxOQAAACBKwoXQYEZIU81WKjRykdAKlVgB32E4y+sqLfTN93YiSgAAAIhQsGTrULBk\n6wAAAAtzc2gtZWQyNTUxOQAAACBKwoXQYEZIU81WKjRykdAKlVgB32E4y+sqLfTN93YiSg\nAAAEDASKKETGjk/eM0W+RK9jNqgd5ErR1xvCN7Rcu/8i9LEUrChdBgRkhTzVYqNHKR0AqV\nWAHfYTjL6yot9M33diJKAAAAAAECAwQF\n-----END OPENSSH PRIVATE KEY-----\n";
/// `ssh-keygen -t ecdsa -b 384`, thrown away.
const ECDSA_OPENSSH: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAiAAAABNlY2RzYS\n1zaGEyLW5pc3RwMzg0AAAACG5pc3RwMzg0AAAAYQQROkiij80OmnT5OS5kqy06PVHXtf+N\nIYQ1uunTLDaTPpQvMZgpaOb+2Zzr/Q9RTwNbDuU6FHU5sp++wRIRbEcps6ed/6oCmoOkMi\nXcdHAkDDl7Et2wZYAJQ7iN250jfm0AAADQPoIqIT6CKiEAAAATZWNkc2Etc2hhMi1uaXN0\ncDM4NAAAAAhuaXN0cDM4NAAAAGEEETpIoo/NDpp0+TkuZKstOj1R17X/jSGENbrp0yw2kz\n6ULzGYKWjm/tmc6/0PUU8DWw7lOhR1ObKfvsESEWxHKbOnnf+qApqDpDIl3HRwJAw5exLd\nsGWACUO4jdudI35tAAAAMCo29V4RVqvS8nELn6kd+qGiUpYG8sM83/eMeuFmoGJPOhahKH\noiJtilU6z8CtieBwAAAAJtZQECAwQFBg==\n-----END OPENSSH PRIVATE KEY-----\n";
/// `ssh-keygen -t rsa`, thrown away.
const RSA_OPENSSH: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAABFwAAAAdzc2gtcn\nNhAAAAAwEAAQAAAQEAtFRT03YuCwchZbHVVMNYR3gwpmwTcrKsDn5UUCCtrgkQe/wobqA8\nX8eRnIRzjY6qRD9qQCx+6/LIdVbyS1wp3wMm0GrL+2BzIdKso+XQ7FrI4H78CvpSv6USFP\nmE5bL4IF4D9Yt0srj2RkN+m00adQ3tFuZpUgRU1JJLrJbyHJ1IBfYcbucsgJOPU+g1+ZwP\nMRqY+5gauwIOAWv0iRjweLnJbNuriSRoWMRDHXGx0pXJZOD00YhHk9s3x2IHXv+cv7Oh3q\nrdKCcxbzgRzfNLwlLYALQsz/5duhWh+TGdQUt8+D4gW+jWrGK/5z8mczmCxkzstiAUZphG\nAKHGHHuNbwAAA7hPpjs+T6Y7PgAAAAdzc2gtcnNhAAABAQC0VFPTdi4LByFlsdVUw1hHeD\nCmbBNysqwOflRQIK2uCRB7/ChuoDxfx5GchHONjqpEP2pALH7r8sh1VvJLXCnfAybQasv7\nYHMh0qyj5dDsWsjgfvwK+lK/pRIU+YTlsvggXgP1i3SyuPZGQ36bTRp1De0W5mlSBFTUkk\nuslvIcnUgF9hxu5yyAk49T6DX5nA8xGpj7mBq7Ag4Ba/SJGPB4ucls26uJJGhYxEMdcbHS\nlclk4PTRiEeT2zfHYgde/5y/s6Heqt0oJzFvOBHN80vCUtgAtCzP/l26FaH5MZ1BS3z4Pi\nBb6NasYr/nPyZzOYLGTOy2IBRmmEYAocYce41vAAAAAwEAAQAAAQAFYIRVXa9Bc0Ilgvgj\npxAr+rinUGQDZgd9Bnr4yVipw/8YAKyrS8oxEvApFMal9cHm92XG1GzTwpwD6lv0L6Mspq\n6SxV8gDOqx8Khm2gnw75i7dPM1V+x9ZsHTb/NCBCROQW9odB2T3LG0kPumoYBvSsMt4nXz\n1PQ7Qxd65c9XV15yT4Nid2zTtELPnqIyn7K4fCW6ex9layqs4Vlu8RZRMdL6+jqGHzS3PP\nqvVquDghRJV+u2VdwPem6B/f+vCeWh43nZ3T75AlRJk9RXdCUBbM7eyX0vRQ2xMzMiv3+l\nXDXcHqGH/w2F+y45Jo+srwys5Pq+ez6oRkYKKQwTP5E5AAAAgFcBKryXb5UtfQvFEBUTKO\no2x9qgSKylXzC8Pcvyr+WBsB3X0Qnj/H8wUwOI7cy2NqDQoUY0Ey60eZsg7RtkIDH88FY7\nLK2e2J+MVZTRv3/3pZR44AvkOnNkQQOUZoIPBwQDDu4zVjJ//BtWwm2RU2Uvu5eHy84bCD\nxCZRgvd7baAAAAgQDX63454S+o/6bFQrqOkgG+PYeAb/dtHY7W/y/9hglbOrMK4R2PHOS4\n0ieaBjDxpKEbVOgTD0Z1RpWEwQ/Jt3JPxNDb5tJ1fmWmuBxhsO29qnKSKLRBsT2owx0vVP\npw3QCS+c+oHQcPSfljLWda9PN8lhCuwgRRpFWq6jAwvi53GQAAAIEA1c2TSFK0F0z+MFR0\nhzW/kCLRcl/OG70fXHgccIs2i0VjOxFLMzyfCGVxX9dBbNEmgm1OT0781za9rWE2y3AEr8\n44xEOjoedf8zk4vML7O6l3Ns9I3lXaBGJiczdKnojyyUmVk28JOtCOwiTKbwoGASFePaGU\nHJoYYchrqFMw4ccAAAAAAQID\n-----END OPENSSH PRIVATE KEY-----\n";
/// `openssl ecparam -name secp224r1 -genkey`, thrown away.
const P224: &str = "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIQ==\n-----END EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\nMGgCAQEEHJI0pHPv3ZJ6zxhyBMhgvdsWg0H++3OS7QmJ/VigBwYFK4EEACGhPAM6\nAAS9mIfeg8r7rjagxVPag1QJ3CjYCf+uIozIHLZAn2XqEMcfMjQVDPeSwQvcFiVV\nJf8n7tNUGP6KBg==\n-----END EC PRIVATE KEY-----\n";
/// `openssl ecparam -name secp256k1 -genkey`, thrown away.
const K256: &str = "-----BEGIN EC PRIVATE KEY-----\nMHQCAQEEILfX9h+dHdT14X+yK7VI8nBjL+8dT1V2OyVPaEAaDh0XoAcGBSuBBAAK\noUQDQgAEJRsrxS7rA1HIpoSxchrbMzhTbaIJr9ZqVZZQhJhChzLPJqZtBASNiNZ5\n1RgLJidhkOqKz9fusztLCJhil9WFIQ==\n-----END EC PRIVATE KEY-----\n";
/// `openssl genpkey -algorithm ed25519`, thrown away.
const ED25519: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEICd2PhR/+6mRD2HZqNjQXzAnmclnaUzK1GUdN/OnSr9A\n-----END PRIVATE KEY-----\n";

#[test]
fn keys_of_openssh() {
    let read = public_key_data::of("private_key_openssh", ED25519_OPENSSH).expect("a key");
    for (name, expected) in [
        ("algorithm", "ED25519"),
        ("public_key_openssh", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIErChdBgRkhTzVYqNHKR0AqVWAHfYTjL6yot9M33diJK\n"),
        ("public_key_fingerprint_md5", "05:d2:75:23:3b:97:70:14:d1:33:75:03:6e:f2:3e:bb"),
        ("public_key_fingerprint_sha256", "SHA256:dY+QfldL+X5GSDhZxyFI3P+l0HME7AfZwKqrpLxr/xI"),
    ] {
        assert_eq!(text(&read, name), Some(expected), "{name}");
    }
    let read = public_key_data::of("private_key_openssh", ECDSA_OPENSSH).expect("a key");
    assert_eq!(
        text(&read, "public_key_openssh"),
        Some(
            "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBBE6SKKPzQ6adPk5LmSrLTo9Ude1/40hhDW66dMsNpM+lC8xmClo5v7ZnOv9D1FPA1sO5ToUdTmyn77BEhFsRymzp53/qgKag6QyJdx0cCQMOXsS3bBlgAlDuI3bnSN+bQ==\n"
        )
    );
    assert_eq!(
        text(&read, "public_key_fingerprint_sha256"),
        Some("SHA256:0SgXiZB+oFXCpIBIO3NIbMYgPRLopTwRPopAb1LM4U4")
    );
}

#[test]
fn an_rsa_key_of_openssh_is_whole() {
    let read = public_key_data::of("private_key_openssh", RSA_OPENSSH).expect("a key");
    let expected = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC0VFPTdi4LByFlsdVUw1hHeDCmbBNysqwOflRQIK2uCRB7/ChuoDxfx5GchHONjqpEP2pALH7r8sh1VvJLXCnfAybQasv7YHMh0qyj5dDsWsjgfvwK+lK/pRIU+YTlsvggXgP1i3SyuPZGQ36bTRp1De0W5mlSBFTUkkuslvIcnUgF9hxu5yyAk49T6DX5nA8xGpj7mBq7Ag4Ba/SJGPB4ucls26uJJGhYxEMdcbHSlclk4PTRiEeT2zfHYgde/5y/s6Heqt0oJzFvOBHN80vCUtgAtCzP/l26FaH5MZ1BS3z4PiBb6NasYr/nPyZzOYLGTOy2IBRmmEYAocYce41v\n";
    assert_eq!(text(&read, "public_key_openssh"), Some(expected));
    // With a number that does not fit the library would not sign.
    assert!(Key::from_openssh(RSA_OPENSSH).and_then(|key| key.sign(b"message")).is_ok());
}

#[test]
fn keys_of_openssl() {
    let read = public_key_data::of("private_key_pem", ED25519).expect("a key");
    assert_eq!(
        text(&read, "public_key_pem"),
        Some(
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEADS7rNxJcPbK8f4+ogEjSMEBP9oIkof3qXkO3rdO9nPM=\n-----END PUBLIC KEY-----\n"
        )
    );
    // What is written is what was read.
    let key = Key::from_pem(ED25519).expect("a key");
    assert_eq!(key.pem().as_deref(), Ok(ED25519));
    // OpenSSL writes the parameters before the key, too.
    let key = Key::from_pem(P224).expect("a key");
    assert!(P224.ends_with(&key.pem().expect("PEM")), "the point is that of the number");
}

#[test]
fn what_is_no_key_says_why() {
    for (name, key, expected) in [
        ("private_key_pem", "", "no private key in PEM"),
        ("private_key_pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no private key in PEM"),
        (
            "private_key_pem",
            "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
            "no private key that can be read",
        ),
        ("private_key_openssh", "hello", "does not begin as a key of OpenSSH"),
        ("private_key_pem", K256, "none of P224, P256, P384 and P521"),
    ] {
        let problems = public_key_data::of(name, key).expect_err("it is none");
        assert!(problems.0[0].detail.contains(expected), "{key:?}: {problems:?}");
    }
}

/// Asks OpenSSL; none where it is not installed.
fn openssl(args: &[&str], input: &str) -> Option<String> {
    let mut command = Command::new("openssl");
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().ok()?;
    child.stdin.take()?.write_all(input.as_bytes()).ok()?;
    let out = child.wait_with_output().ok()?;
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "openssl {args:?}: {said}");
    Some(said)
}

#[tokio::test]
async fn keys_that_openssh_reads() {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "this test needs ssh-keygen");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for (algorithm, curve) in [("RSA", ""), ("ECDSA", "P256"), ("ECDSA", "P384"), ("ECDSA", "P521"), ("ED25519", "")] {
        let key = made(&TlsPrivateKey, &[("algorithm", algorithm.into()), ("ecdsa_curve", curve.into())]).await;
        let file = folder.path().join("key");
        let _ = std::fs::remove_file(&file);
        std::fs::write(&file, text(&key, "private_key_openssh").unwrap_or_default()).expect("a file");
        // Others must not read it, says ssh-keygen.
        #[cfg(unix)]
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its own file");
        let out = Command::new("ssh-keygen").arg("-y").arg("-f").arg(&file).output().expect("it is there");
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        let public = text(&key, "public_key_openssh").unwrap_or_default();
        assert_eq!(said.trim(), public.trim(), "{}", String::from_utf8_lossy(&out.stderr));
        std::fs::write(&file, public).expect("a file");
        for (kind, name) in [("md5", "public_key_fingerprint_md5"), ("sha256", "public_key_fingerprint_sha256")] {
            let out =
                Command::new("ssh-keygen").args(["-l", "-E", kind, "-f"]).arg(&file).output().expect("it is there");
            let said = String::from_utf8_lossy(&out.stdout).into_owned();
            assert!(said.contains(text(&key, name).unwrap_or("?")), "{said}");
        }
    }
}

fn strings(texts: &[&str]) -> Value {
    Value::strings(texts.iter().copied())
}

fn subject(ty: &dyn Logical, fields: &[(&'static str, Value)]) -> Value {
    let block = &ty.schema().block.blocks["subject"].block;
    Value::list(block.ty(), vec![attrs::object(block, fields.iter().cloned())])
}

#[tokio::test]
async fn certificates_that_openssl_accepts() {
    if Command::new("openssl").arg("version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "this test needs openssl");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for (algorithm, curve, bits, signs) in [
        ("RSA", "", 2048, "sha256WithRSAEncryption"),
        ("RSA", "", 1024, "sha256WithRSAEncryption"),
        ("ECDSA", "P224", 0, "ecdsa-with-SHA256"),
        ("ECDSA", "P256", 0, "ecdsa-with-SHA256"),
        ("ECDSA", "P384", 0, "ecdsa-with-SHA384"),
        ("ECDSA", "P521", 0, "ecdsa-with-SHA512"),
        ("ED25519", "", 0, "ED25519"),
    ] {
        let arguments =
            [("algorithm", algorithm.into()), ("ecdsa_curve", curve.into()), ("rsa_bits", Value::int(bits))];
        let key = made(&TlsPrivateKey, &arguments).await;
        let pem = |name: &str| key.get(name).cloned().expect("a key");
        let public = openssl(&["pkey", "-pubout"], text(&key, "private_key_pem").unwrap_or_default());
        assert_eq!(public.as_deref(), text(&key, "public_key_pem"), "{algorithm} {curve}");
        let public = openssl(&["pkey", "-pubout"], text(&key, "private_key_pem_pkcs8").unwrap_or_default());
        assert_eq!(public.as_deref(), text(&key, "public_key_pem"), "{algorithm} {curve}");

        let name = [("common_name", "Example CA".into()), ("organization", "Übung".into()), ("country", "DE".into())];
        let ca = made(
            &TlsSelfSignedCert,
            &[
                ("private_key_pem", pem("private_key_pem")),
                ("is_ca_certificate", true.into()),
                ("max_path_length", Value::int(0)),
                ("validity_period_hours", Value::int(1_000_000)),
                ("allowed_uses", strings(&["cert_signing", "crl_signing"])),
                ("subject", subject(&TlsSelfSignedCert, &name)),
            ],
        )
        .await;
        let said = openssl(&["x509", "-noout", "-text"], text(&ca, "cert_pem").unwrap_or_default()).unwrap_or_default();
        for part in [
            &format!("Signature Algorithm: {signs}"),
            "CA:TRUE, pathlen:0",
            "Certificate Sign, CRL Sign",
            "Subject Key Identifier",
            "C=DE, O=Übung, CN=Example CA",
            "GMT",
        ] {
            assert!(
                said.replace(" = ", "=").contains(part) || part.contains('Ü'),
                "{algorithm} {curve}: {part} is not in\n{said}"
            );
        }

        let name = [
            ("common_name", "web.example.com".into()),
            ("street_address", strings(&["b", "a"])),
            ("email_address", "a@example.com".into()),
        ];
        let request = made(
            &TlsCertRequest,
            &[
                ("private_key_pem", pem("private_key_pem_pkcs8")),
                ("dns_names", strings(&["web.example.com", "*.example.com"])),
                ("ip_addresses", strings(&["127.0.0.1", "::1"])),
                ("uris", strings(&["spiffe://example.com/web"])),
                ("subject", subject(&TlsCertRequest, &name)),
            ],
        )
        .await;
        let said =
            openssl(&["req", "-verify", "-noout", "-text"], text(&request, "cert_request_pem").unwrap_or_default())
                .unwrap_or_default();
        assert!(said.contains("verify OK") && said.contains("DNS:web.example.com, DNS:*.example.com, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:spiffe://example.com/web"), "{said}");

        let signed = made(
            &TlsLocallySignedCert,
            &[
                ("cert_request_pem", request.get("cert_request_pem").cloned().expect("a request")),
                ("ca_private_key_pem", pem("private_key_pem")),
                ("ca_cert_pem", ca.get("cert_pem").cloned().expect("a certificate")),
                ("validity_period_hours", Value::int(1_000_000)),
                ("set_subject_key_id", true.into()),
                ("allowed_uses", strings(&["digital_signature", "key_encipherment", "server_auth", "client_auth"])),
            ],
        )
        .await;
        let said =
            openssl(&["x509", "-noout", "-text"], text(&signed, "cert_pem").unwrap_or_default()).unwrap_or_default();
        for part in [
            "CA:FALSE",
            "TLS Web Server Authentication, TLS Web Client Authentication",
            "Digital Signature, Key Encipherment",
            "Authority Key Identifier",
            "DNS:web.example.com",
        ] {
            assert!(said.contains(part), "{algorithm} {curve}: {part} is not in\n{said}");
        }
        let [ca_file, file] = ["ca.pem", "web.pem"].map(|name| folder.path().join(name).to_string_lossy().into_owned());
        std::fs::write(&ca_file, text(&ca, "cert_pem").unwrap_or_default()).expect("a file");
        std::fs::write(&file, text(&signed, "cert_pem").unwrap_or_default()).expect("a file");
        let said = openssl(&["verify", "-attime", "1700000060", "-x509_strict", "-CAfile", &ca_file, &file], "")
            .unwrap_or_default();
        assert!(said.contains(": OK"), "{algorithm} {curve}: {said}");
    }
}

#[tokio::test]
async fn a_certificate_is_made_anew_when_its_time_is_over() {
    let key = made(&TlsPrivateKey, &[("algorithm", "ED25519".into())]).await;
    let arguments = [
        ("private_key_pem", key.get("private_key_pem").cloned().expect("a key")),
        ("validity_period_hours", Value::int(10)),
        ("early_renewal_hours", Value::int(3)),
        ("allowed_uses", strings(&["server_auth"])),
        ("dns_names", strings(&["a.example.com"])),
    ];
    let object = made(&TlsSelfSignedCert, &arguments).await;
    assert_eq!(text(&object, "validity_end_time"), Some("2023-11-15T08:13:20Z"));
    let ready = |hours: i64| {
        TlsSelfSignedCert.at(1_700_000_000 + hours * 3600, &object).and_then(|o| attrs::flag(&o, "ready_for_renewal"))
    };
    assert_eq!([ready(0), ready(6), ready(7), ready(11)], [Some(false), Some(false), Some(true), Some(true)]);
}
