//! A sandbox without the rest of `sgp`: `cargo run -p sgp-sandbox --example serve -- [PORT [FOLDER]]`.
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use sgp_sandbox::{Sandbox, Settings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let port = args.next().map(|port| port.parse()).transpose()?.unwrap_or(0);
    let folder = args.next().map(Into::into);
    let sandbox = Sandbox::start(Settings { port, folder, ..Settings::default() }).await?;
    println!("http://{}", sandbox.address());
    sandbox.stopped().await;
    Ok(())
}
