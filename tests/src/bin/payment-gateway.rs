//! 模拟支付: the simulated payment gateway as a program, for the demo. Writes the settings file of a server's data folder and
//! serves its pages until it is ended; no money moves.
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use tests::payment_gateway::PaymentGateway;

/// The simulated payment gateway (模拟支付): no money moves.
#[derive(Parser)]
struct Arguments {
    /// The data folder of the server that uses it.
    #[arg(long)]
    data: PathBuf,
    /// Its address on this machine.
    #[arg(long, default_value = "127.0.0.1:8495")]
    listen: String,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let gateway = PaymentGateway::start_on(&arguments.listen)?;
    gateway.serve_for(&arguments.data)?;
    writeln!(std::io::stdout(), "模拟支付 http://{}/", gateway.address())?;
    loop {
        std::thread::park();
    }
}
