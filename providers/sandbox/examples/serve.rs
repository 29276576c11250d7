//! A sandbox without the rest of `sgp`:
//! `cargo run -p sgp-sandbox --example serve -- [-verify-signatures] [-enforce-iam] [PORT [FOLDER]]`.
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use sgp_sandbox::{Sandbox, Settings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (flags, places): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|arg| arg.starts_with('-'));
    let port = places.first().map(|port| port.parse()).transpose()?.unwrap_or(0);
    let folder = places.get(1).map(Into::into);
    let has = |name: &str| flags.iter().any(|flag| flag == name);
    let (verify_signatures, enforce_iam) = (has("-verify-signatures"), has("-enforce-iam"));
    let settings = Settings { port, folder, verify_signatures, enforce_iam, ..Settings::default() };
    let sandbox = Sandbox::start(settings).await?;
    println!("http://{}", sandbox.address());
    sandbox.stopped().await;
    Ok(())
}
