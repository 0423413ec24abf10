//! The command line.

use std::path::PathBuf;

use changeover::engine::release::Urgency;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::verify::DEADLINE;

/// Publishes, rolls back, serves and verifies the builds of a single-page app.
#[derive(Debug, Parser)]
#[command(name = "changeover", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Print the result as JSON on standard output, errors included
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a dist folder the live release of a site
    Publish(PublishArgs),
    /// Make a folder a deploy by itself: stamps, manifest and release, so that a plain copy to any host is enough
    Stamp(StampArgs),
    /// Make an older build live again, as a newer release
    Rollback(RollbackArgs),
    /// Serve a site over HTTP, with retention and an event stream
    Serve(ServeArgs),
    /// Check that every file of the live release is there and intact
    Verify(VerifyArgs),
    /// Say what a deploy means for open tabs: what swaps, or what forces a refresh
    Diff(DiffArgs),
}

#[derive(Debug, Args)]
pub struct PublishArgs {
    /// The folder with index.html that the bundler wrote
    pub dist: PathBuf,
    /// The folder that is, or becomes, the root of the site
    #[arg(long, value_name = "SITE", required_unless_present = "in_place")]
    pub to: Option<PathBuf>,
    /// Make DIST itself the deploy, for hosts that get a copy of one folder or serve it; earlier builds are not kept
    #[arg(long, conflicts_with_all = ["to", "by", "allow_store_gap", "keep", "keep_days"])]
    pub in_place: bool,
    /// How much it matters that open tabs move
    #[arg(long, value_enum, default_value = "routine")]
    pub urgency: UrgencyArg,
    /// A sentence for the prompt
    #[arg(long, value_name = "TEXT")]
    pub message: Option<String>,
    /// The channel [default: that of the live release, else stable]
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// The name of the app [default: what the dist, the live release or package.json say]
    #[arg(long, value_name = "NAME")]
    pub app: Option<String>,
    /// Where the site is mounted, such as /shop/ [default: what the dist says or implies]
    #[arg(long, value_name = "PATH")]
    pub base: Option<String>,
    /// Who publishes [default: git's user.name or the login name]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// What the stores are, such as { "cart": { "schema": 3, "reads": [1, 3] } } [default: changeover.stores.json in
    /// the dist]
    #[arg(long, value_name = "FILE")]
    pub stores: Option<PathBuf>,
    /// Publish although open tabs hold a store in a schema that this build cannot read
    #[arg(long)]
    pub allow_store_gap: bool,
    /// Give the build to every browser although the live release is rolled out to a part of them
    #[arg(long)]
    pub end_rollout: bool,
    /// Keep the files of so many builds …
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub keep: usize,
    /// … and of every build that was live within so many days
    #[arg(long, value_name = "M", default_value_t = 30)]
    pub keep_days: u64,
}

#[derive(Debug, Args)]
pub struct StampArgs {
    /// The folder with index.html that will be copied to a host
    pub dist: PathBuf,
    /// The name of the app [default: what the folder or package.json say]
    #[arg(long, value_name = "NAME")]
    pub app: Option<String>,
    /// Where the site is mounted, such as /shop/ [default: what the folder says or implies]
    #[arg(long, value_name = "PATH")]
    pub base: Option<String>,
    /// What the stores are [default: changeover.stores.json in the folder]
    #[arg(long, value_name = "FILE")]
    pub stores: Option<PathBuf>,
    /// Make a newer release although nothing changed: how a plain copy goes back to an older build
    #[arg(long)]
    pub anew: bool,
}

#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The build to go back to [default: the one that was live before]
    pub build: Option<String>,
    #[arg(long)]
    pub site: PathBuf,
    /// Go back to the build of this release instead
    #[arg(long, value_name = "N", conflicts_with = "build")]
    pub to_sequence: Option<u64>,
    /// How much it matters that open tabs move
    #[arg(long, value_enum, default_value = "routine")]
    pub urgency: UrgencyArg,
    /// A sentence for the prompt
    #[arg(long, value_name = "TEXT")]
    pub message: Option<String>,
    /// Who rolls back [default: git's user.name or the login name]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    pub site: PathBuf,
    /// 0 takes any free port; the first line of the output says which
    #[arg(long, short, default_value_t = 4173)]
    pub port: u16,
    /// 0.0.0.0 is every address of this machine
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// How long downloads may go on after SIGTERM or ctrl-c; a second signal ends at once
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub drain: u64,
    /// Connections at once [default: what `ulimit -n` has room for, at most 16384]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub max_connections: Option<usize>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("it must be a number from 1".into()),
        Ok(number) => Ok(number),
    }
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The folder of a site, its URL, or the URL of its release.json
    #[arg(value_name = "URL|DIR")]
    pub target: String,
    /// End the check of a URL after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = DEADLINE.as_secs())]
    pub deadline: u64,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The build that tabs run: a manifest, the folder of a build, the folder or URL of a site, or the id of a build
    pub old: String,
    /// The build to come
    pub new: String,
    /// The folder of the site whose builds are meant by ids [default: the other operand]
    #[arg(long, value_name = "SITE")]
    pub site: Option<PathBuf>,
    /// Print Markdown, for a comment on a pull request
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum UrgencyArg {
    Routine,
    Soon,
    Now,
}

impl From<UrgencyArg> for Urgency {
    fn from(urgency: UrgencyArg) -> Self {
        match urgency {
            UrgencyArg::Routine => Self::Routine,
            UrgencyArg::Soon => Self::Soon,
            UrgencyArg::Now => Self::Now,
        }
    }
}
