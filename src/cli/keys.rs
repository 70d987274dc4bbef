//! `polemic keys`: API keys of the service.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use rand::random;

use crate::error::Error;
use crate::serve::keys;

const EXAMPLES: &str = "\
Examples:
  polemic keys add newsroom --file keys.txt
  polemic serve --keys keys.txt

The key is shown once and kept nowhere; the file holds its SHA-256. For a key of your own:
  echo \"newsroom $(printf %s 'the key' | sha256sum | cut -d' ' -f1)\" >> keys.txt
To take a key back, delete its line and send the service SIGHUP.";

/// Arguments of `polemic keys`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, subcommand_required = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a key, show it once and add its hash to a file.
    Add {
        /// Whose key it is; logs and feedback show it.
        name: String,
        /// The file; it is created if there is none.
        #[arg(long, value_name = "FILE", default_value = "keys.txt")]
        file: PathBuf,
    },
}

/// Makes a key.
pub fn run(args: &Args) -> Result<ExitCode> {
    let Verb::Add { name, file } = &args.verb;
    if name.is_empty() || name.starts_with('#') || name.contains(char::is_whitespace) {
        bail!("`{name}` is no name: no white space, no # at its start");
    }
    // Forty hexadecimal digits also stand before a host, as Akismet clients have it.
    let key = hex::encode(random::<[u8; 20]>());
    let mut out = OpenOptions::new().create(true).append(true).open(file).map_err(|e| Error::io(file, e))?;
    out.write_all(keys::line(name, &key).as_bytes()).map_err(|e| Error::io(file, e))?;
    anstream::println!("{key}");
    anstream::eprintln!("polemic: the key of {name}; {} holds its hash. It is not shown again.", file.display());
    Ok(ExitCode::SUCCESS)
}
