//! Runs a command and prints the result, as sentences or as JSON.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::amend::Announcement;
use crate::args::{Cli, Command, DiffArgs, PublishArgs, RollbackArgs, ServeArgs, StampArgs};
use crate::build::Note;
use crate::diff::diff;
use crate::error::{Error, Result};
use crate::publish::{PublishOptions, Published, check_words, publish};
use crate::retain::Keep;
use crate::rollback::{RollbackOptions, RolledBack, Target, rollback};
use crate::serve::{Ending, Limits, ServeOptions, Server};
use crate::stamp::{StampOptions, Stamped, stamp};
use crate::url::shown;
use crate::verify::{Findings, verify};

/// Exit codes: 0 for success; 1 when the command failed or `verify` found faults; 2 when the command line is wrong or
/// `diff` cannot read its operands.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    let outcome = match cli.command {
        Command::Publish(args) => match &args.to {
            Some(site) => {
                let (site, shown) = (site.clone(), site.display().to_string());
                publish(&publish_options(args, site))
                    .map(|done| print_report(json, published_report(&done, &shown)))
            }
            None => {
                let folder = args.dist.display().to_string();
                check_words(
                    args.app.as_ref(),
                    args.channel.as_ref(),
                    args.message.as_ref(),
                )
                .and_then(|()| stamp(&in_place_options(args)))
                .map(|done| print_report(json, stamped_report(&done, &folder)))
            }
        },
        Command::Stamp(args) => {
            let folder = args.dist.display().to_string();
            check_words(args.app.as_ref(), None, None)
                .and_then(|()| stamp(&args.into()))
                .map(|done| print_report(json, stamped_report(&done, &folder)))
        }
        Command::Rollback(args) => {
            rollback(&args.into()).map(|done| print_report(json, rolled_back_report(&done)))
        }
        Command::Serve(args) => serve(args, json).map(|()| ExitCode::SUCCESS),
        Command::Diff(args) => return compare(&args, json),
        Command::Verify(args) => {
            verify(&args.target, Duration::from_secs(args.deadline)).map(|findings| {
                print_report(json, findings_report(&findings, &shown(&args.target)));
                if findings.faults.is_empty() {
                    ExitCode::SUCCESS
                } else {
                    ExitCode::FAILURE
                }
            })
        }
    };
    outcome.unwrap_or_else(|error| {
        print_error(json, &error);
        ExitCode::FAILURE
    })
}

/// What a command reports: sentences for people, whose notes go to standard error, or fields for programs.
struct Report {
    sentences: Vec<String>,
    notes: Vec<String>,
    fields: Value,
}

fn published_report(done: &Published, site: &str) -> Report {
    let release = &done.release;
    let build = &release.build.id.0;
    let sentence = if done.is_new {
        let after = done
            .previous
            .as_ref()
            .map_or_else(String::new, |previous| format!(", after build {previous}"));
        format!(
            "published build {build} as release {} to {site}{after}",
            release.sequence
        )
    } else {
        format!(
            "already live: build {build} is release {} at {site}",
            release.sequence
        )
    };
    let placed = done.placed;
    let mut sentences = vec![
        sentence,
        format!(
            "files: {} copied, {} shared with earlier builds, {} there already",
            placed.copied, placed.linked, placed.kept
        ),
    ];
    if !done.pruned.is_empty() {
        sentences.push(format!("no longer kept: {}", done.pruned.join(", ")));
    }
    Report {
        sentences,
        notes: note_sentences(&done.notes),
        fields: json!({
            "ok": true,
            "live": if done.is_new { "new" } else { "already" },
            "site": site,
            "sequence": release.sequence,
            "build": build,
            "app": release.app,
            "channel": release.channel,
            "previous": done.previous,
            "described_by": done.described_by.code(),
            "files": { "copied": placed.copied, "linked": placed.linked, "kept": placed.kept },
            "pruned": done.pruned,
            "notes": note_fields(&done.notes),
        }),
    }
}

fn stamped_report(done: &Stamped, folder: &str) -> Report {
    let (build, sequence) = (&done.release.build.id.0, done.release.sequence);
    let sentence = if done.is_new {
        format!("stamped {folder}: build {build}, release {sequence}; copy it to the host as it is")
    } else {
        format!("stamped already: {folder} is build {build}, release {sequence}")
    };
    Report {
        sentences: vec![sentence],
        notes: note_sentences(&done.notes),
        fields: json!({
            "ok": true,
            "live": if done.is_new { "new" } else { "already" },
            "folder": folder,
            "sequence": sequence,
            "build": build,
            "app": done.release.app,
            "channel": done.release.channel,
            "described_by": done.described_by.code(),
            "notes": note_fields(&done.notes),
        }),
    }
}

fn rolled_back_report(done: &RolledBack) -> Report {
    let (build, sequence) = (&done.release.build.id.0, done.release.sequence);
    let sentence = if done.is_new {
        format!(
            "rolled back to build {build} as release {sequence}, from build {}",
            done.from
        )
    } else {
        format!("already live: build {build} is release {sequence}")
    };
    Report {
        sentences: vec![sentence],
        notes: note_sentences(&done.notes),
        fields: json!({
            "ok": true,
            "live": if done.is_new { "new" } else { "already" },
            "sequence": sequence,
            "build": build,
            "previous": done.from,
            "notes": note_fields(&done.notes),
        }),
    }
}

fn findings_report(findings: &Findings, target: &str) -> Report {
    let what = findings.release.as_ref().map_or_else(
        || target.to_owned(),
        |release| {
            format!(
                "release {} (build {}) at {target}",
                release.sequence, release.build.id.0
            )
        },
    );
    let mut sentences: Vec<_> = findings.faults.iter().map(ToString::to_string).collect();
    sentences.push(match findings.faults.len() {
        0 => format!("{what} is complete: {} files match", findings.files),
        1 => format!("{what} has 1 fault"),
        n => format!("{what} has {n} faults"),
    });
    let faults: Vec<_> = findings
        .faults
        .iter()
        .map(|fault| json!({ "code": fault.code, "place": fault.place, "message": fault.text }))
        .collect();
    Report {
        sentences,
        notes: Vec::new(),
        fields: json!({
            "ok": faults.is_empty(),
            "target": target,
            "sequence": findings.release.as_ref().map(|release| release.sequence),
            "build": findings.release.as_ref().map(|release| &release.build.id.0),
            "files": findings.files,
            "faults": faults,
        }),
    }
}

/// A difference of any kind is a success, so that pipelines go on with the output.
fn compare(args: &DiffArgs, json: bool) -> ExitCode {
    match diff(&args.old, &args.new, args.site.as_deref()) {
        Ok(difference) if args.markdown => {
            print_line(difference.markdown().trim_end());
            ExitCode::SUCCESS
        }
        Ok(difference) => print_report(
            json,
            Report {
                sentences: difference.sentences(),
                notes: Vec::new(),
                fields: difference.fields(),
            },
        ),
        Err(error) => {
            print_error(json, &error);
            ExitCode::from(2)
        }
    }
}

fn serve(args: ServeArgs, json: bool) -> Result<()> {
    let options = ServeOptions {
        site: args.site,
        host: args.host,
        port: args.port,
        drain: Duration::from_secs(args.drain),
        limits: Limits {
            connections: args.max_connections,
            ..Limits::default()
        },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new("io", format!("the server could not start: {error}")))?;
    let outcome = runtime.block_on(async {
        // Before the first line is printed: a program that reads it may send the signal at once.
        let ending = asked_to_end()?;
        let server = Server::bind(&options).await?;
        let site = options.site.display().to_string();
        let line = if json {
            json!({ "ok": true, "site": site, "url": server.url(), "port": server.address().port() }).to_string()
        } else {
            format!("serving {site} at {}", server.url())
        };
        print_line(&line);
        if !server.has_release() && !server.waits_for_release() {
            eprintln!("note: nothing is published here yet; `changeover publish DIST --to {site}` goes live without a restart");
        }
        server.run(ending).await;
        Ok(())
    });
    // Reads from slow disks must not delay the exit.
    runtime.shutdown_background();
    outcome
}

/// The first SIGTERM or ctrl-c lets responses finish, the second ends the server at once.
fn asked_to_end() -> Result<watch::Receiver<Ending>> {
    let (end, ending) = watch::channel(Ending::NotYet);
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Error::new("io", format!("signals cannot be received: {error}")))
        };
        let (mut terminate, mut interrupt) = (
            listen(SignalKind::terminate())?,
            listen(SignalKind::interrupt())?,
        );
        tokio::spawn(async move {
            for how in [Ending::Draining, Ending::AtOnce] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                let _ = end.send(how);
            }
        });
    }
    #[cfg(not(unix))]
    tokio::spawn(async move {
        for how in [Ending::Draining, Ending::AtOnce] {
            let _ = tokio::signal::ctrl_c().await;
            let _ = end.send(how);
        }
    });
    Ok(ending)
}

fn print_report(json: bool, report: Report) -> ExitCode {
    if json {
        print_line(&report.fields.to_string());
    } else {
        for sentence in report.sentences {
            print_line(&sentence);
        }
        for note in report.notes {
            eprintln!("{note}");
        }
    }
    ExitCode::SUCCESS
}

fn print_error(json: bool, error: &Error) {
    if json {
        print_line(&json!({ "ok": false, "error": { "code": error.code(), "message": error.to_string() } }).to_string());
    } else {
        eprintln!("error: {error} [{}]", error.code());
    }
}

/// A reader that closed the pipe does not make the command fail.
fn print_line(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn note_sentences(notes: &[Note]) -> Vec<String> {
    notes
        .iter()
        .map(|note| format!("note: {} [{}]", note.text, note.code))
        .collect()
}

fn note_fields(notes: &[Note]) -> Vec<Value> {
    notes
        .iter()
        .map(|note| json!({ "code": note.code, "message": note.text, "files": note.files }))
        .collect()
}

fn publish_options(args: PublishArgs, site: PathBuf) -> PublishOptions {
    PublishOptions {
        dist: args.dist,
        site,
        announcement: Announcement {
            urgency: args.urgency.into(),
            message: args.message,
        },
        channel: args.channel,
        app: args.app,
        base: args.base,
        by: args.by,
        stores: args.stores,
        allow_store_gap: args.allow_store_gap,
        end_rollout: args.end_rollout,
        keep: Keep {
            builds: args.keep,
            days: args.keep_days,
        },
    }
}

fn in_place_options(args: PublishArgs) -> StampOptions {
    StampOptions {
        folder: args.dist,
        app: args.app,
        base: args.base,
        stores: args.stores,
        announcement: Some(Announcement {
            urgency: args.urgency.into(),
            message: args.message,
        }),
        channel: args.channel,
        end_rollout: args.end_rollout,
        anew: false,
    }
}

impl From<StampArgs> for StampOptions {
    fn from(args: StampArgs) -> Self {
        Self {
            folder: args.dist,
            app: args.app,
            base: args.base,
            stores: args.stores,
            anew: args.anew,
            ..Self::default()
        }
    }
}

impl From<RollbackArgs> for RollbackOptions {
    fn from(args: RollbackArgs) -> Self {
        Self {
            site: args.site,
            to: match (args.build, args.to_sequence) {
                (Some(build), _) => Target::Build(build),
                (None, Some(sequence)) => Target::Sequence(sequence),
                (None, None) => Target::Previous,
            },
            announcement: Announcement {
                urgency: args.urgency.into(),
                message: args.message,
            },
            by: args.by,
        }
    }
}
