//! What a server shows, directly and through a proxy.

use std::sync::Arc;

use hyper_util::client::proxy::matcher::Matcher;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use sgp_model::{Type, Value};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use super::{
    cert_request::TlsCertRequest, certificate_data::read_with, locally_signed_cert::TlsLocallySignedCert,
    private_key::TlsPrivateKey, proxy, self_signed_cert::TlsSelfSignedCert,
};
use crate::{
    attrs::{self, flag, text},
    digests,
    in_state::Logical,
    net::{
        connect::{self, Proxies},
        trust::{self, Trust},
    },
    testing::made,
};

/// An authority, and a server with a certificate of it, in PEM.
struct Issued {
    ca: String,
    certificate: String,
    key: String,
}

async fn issued() -> Issued {
    let key = made(&TlsPrivateKey, &[("algorithm", "ECDSA".into()), ("ecdsa_curve", "P256".into())]).await;
    let key = key.get("private_key_pem_pkcs8").cloned().expect("a key");
    let named = |ty: &dyn Logical, name: &str| {
        let block = &ty.schema().block.blocks["subject"].block;
        Value::list(
            block.ty(),
            vec![attrs::object(block, [("common_name", name.into()), ("organization", "A, B".into())])],
        )
    };
    // Far beyond the time of the tests' clock.
    let valid = || ("validity_period_hours", Value::int(1_000_000));
    let ca = made(
        &TlsSelfSignedCert,
        &[
            ("private_key_pem", key.clone()),
            ("is_ca_certificate", true.into()),
            valid(),
            ("allowed_uses", Value::strings(["cert_signing"])),
            ("subject", named(&TlsSelfSignedCert, "Test CA")),
        ],
    )
    .await;
    let request = made(
        &TlsCertRequest,
        &[
            ("private_key_pem", key.clone()),
            ("dns_names", Value::strings(["localhost"])),
            ("subject", named(&TlsCertRequest, "localhost")),
        ],
    )
    .await;
    let signed = made(
        &TlsLocallySignedCert,
        &[
            ("cert_request_pem", request.get("cert_request_pem").cloned().expect("a request")),
            ("ca_private_key_pem", key.clone()),
            ("ca_cert_pem", ca.get("cert_pem").cloned().expect("a certificate")),
            valid(),
            ("allowed_uses", Value::strings(["digital_signature", "server_auth"])),
        ],
    )
    .await;
    let pem = |object: &Value| text(object, "cert_pem").expect("a certificate").to_owned();
    Issued { ca: pem(&ca), certificate: pem(&signed), key: key.as_str().expect("a key").to_owned() }
}

/// A server that shows its certificate and that of its authority; its port.
async fn serve(issued: &Issued) -> u16 {
    let chain = [&issued.certificate, &issued.ca]
        .map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate"));
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain.to_vec(), key))
        .expect("a server");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut session) = acceptor.accept(stream).await {
                let mut request = [0; 1024];
                let _ = session.read(&mut request).await;
                let _ = session.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
                let _ = session.shutdown().await;
            }
        }
    });
    port
}

#[tokio::test]
async fn the_authority_comes_first() {
    let issued = issued().await;
    let port = serve(&issued).await;
    for url in [format!("https://localhost:{port}/id/1"), format!("tls://localhost:{port}")] {
        let fields = vec![("url", url.into()), ("verify_chain", false.into())];
        let read = read_with(fields, &Proxies::Never).await.expect("certificates");
        let chain = read.get("certificates").and_then(Value::elements).expect("a list");
        let pems: Vec<_> = chain.iter().map(|certificate| text(certificate, "cert_pem").unwrap_or_default()).collect();
        assert_eq!(pems, [&issued.ca, &issued.certificate]);
        let der = CertificateDer::from_pem_slice(issued.ca.as_bytes()).expect("a certificate");
        assert_eq!(text(chain[0], "sha1_fingerprint"), Some(digests::sha1(&der).as_str()));
        assert_eq!([chain[0], chain[1]].map(|c| flag(c, "is_ca")), [Some(true), Some(false)]);
        assert_eq!(text(chain[1], "issuer"), Some("CN=Test CA,O=A\\, B"));
        assert_eq!(text(chain[1], "subject"), Some("CN=localhost,O=A\\, B"));
        assert_eq!(text(chain[1], "not_before"), Some("2023-11-14T22:13:20Z"));
        assert_eq!(
            (text(chain[1], "public_key_algorithm"), text(chain[1], "signature_algorithm")),
            (Some("ECDSA"), Some("ECDSA-SHA256"))
        );
        assert_eq!(attrs::int(chain[1], "version"), Some(3));
        // The same certificates as a text, in the order of the text.
        let content = vec![("content", Value::from(format!("{}{}", issued.ca, issued.certificate)))];
        let told = read_with(content, &Proxies::Never).await.expect("certificates");
        assert_eq!(told.get("certificates"), read.get("certificates"));
    }
}

#[tokio::test]
async fn nobody_stands_for_an_unknown_authority() {
    let issued = issued().await;
    let port = serve(&issued).await;
    let problems = read_with(vec![("url", format!("https://localhost:{port}").into())], &Proxies::Never).await;
    let detail = problems.expect_err("it is unknown").0.remove(0).detail;
    assert!(detail.contains("UnknownIssuer") && detail.contains("verify_chain = false"), "{detail}");
    // Whoever knows the authority is content with the chain: these certificates hold together.
    let config = Arc::new(trust::client(&Trust::These(issued.ca.clone()), None).expect("an authority"));
    for (host, is_accepted) in [("localhost", true), ("127.0.0.1", false)] {
        let url = format!("https://{host}:{port}").parse().expect("a URL");
        assert_eq!(connect::for_tls(&url, &Proxies::Never, config.clone()).await.is_ok(), is_accepted, "{host}");
    }
}

/// A proxy that makes tunnels to this machine, and the first lines that it was sent.
async fn proxied() -> (u16, Arc<tokio::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked: Arc<tokio::sync::Mutex<Vec<String>>> = Arc::default();
    let seen = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let n = stream.read(&mut head).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..n]).into_owned();
            let to = head.split(' ').nth(1).unwrap_or_default().rsplit_once(':').map(|(_, port)| port.to_owned());
            seen.lock().await.push(head);
            let Ok(mut server) = TcpStream::connect(format!("127.0.0.1:{}", to.unwrap_or_default())).await else {
                continue;
            };
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            let _ = copy_bidirectional(&mut stream, &mut server).await;
        }
    });
    (port, asked)
}

#[tokio::test]
async fn a_proxy_that_the_provider_names() {
    let issued = issued().await;
    let (port, (proxy_port, asked)) = (serve(&issued).await, proxied().await);
    let schema = &super::CONFIG.block;
    let block = &schema.blocks["proxy"].block;
    let named = |fields: Vec<(&'static str, Value)>| {
        schema.empty().with_attr("proxy", Value::list(block.ty(), vec![attrs::object(block, fields)]))
    };
    let config = named(vec![
        ("url", format!("http://127.0.0.1:{proxy_port}").into()),
        ("username", "me".into()),
        ("password", "secret".into()),
    ]);
    let proxies = proxy::of(&config).expect("a proxy");
    let fields = vec![("url", format!("https://localhost:{port}").into()), ("verify_chain", false.into())];
    let read = read_with(fields, &proxies).await.expect("certificates");
    assert_eq!(read.get("certificates").and_then(Value::elements).map(|c| c.len()), Some(2));
    let head = asked.lock().await[0].clone();
    assert!(head.starts_with(&format!("CONNECT localhost:{port} HTTP/1.1\r\n")), "{head}");
    assert!(head.to_lowercase().contains("proxy-authorization: basic bwu6c2vjcmv0"), "{head}");
    assert!(proxy::of(&named(vec![("url", "ftp://a.example".into())])).is_err());
    assert!(matches!(proxy::of(&named(vec![("from_env", false.into())])), Ok(Proxies::Never)));
    assert!(matches!(proxy::of(&schema.empty()), Ok(Proxies::Environment(_))));
}

#[tokio::test]
async fn the_environment_spares_this_machine() {
    let issued = issued().await;
    let port = serve(&issued).await;
    // Nobody is there.
    let matcher = Matcher::builder().all("http://127.0.0.1:1").build();
    let fields = vec![("url", format!("https://localhost:{port}").into()), ("verify_chain", false.into())];
    assert!(read_with(fields, &Proxies::Environment(Box::new(matcher))).await.is_ok());
}

#[tokio::test]
async fn arguments_are_judged() {
    for (fields, expected) in [
        (vec![], "must be set"),
        (vec![("url", Value::from("https://a.example")), ("content", "x".into())], "Only one"),
        (vec![("url", Value::from("http://a.example"))], "must be an https or tls URL"),
        (vec![("url", Value::from("tls://a.example"))], "names its port"),
        (vec![("content", Value::from("x"))], "no certificate in PEM"),
        (vec![("content", "x".into()), ("verify_chain", true.into())], "goes with `url`"),
        (vec![("url", Value::null(Type::String))], "must be set"),
    ] {
        let problems = read_with(fields.clone(), &Proxies::Never).await.expect_err("it is wrong");
        assert!(problems.0[0].detail.contains(expected), "{fields:?}: {problems:?}");
    }
}
