//! How inputs, effects, events and the status are written as JSON.
//!
//! serde's derived code for these types would be a tenth of the runtime; here a variant costs a list of its fields. The
//! derives in [`super::io`] stay for reading traces natively, and a test compares the two, variant by variant.

use alloc::{string::String, vec::Vec};

use super::{
    io::{
        AbortReason, Arrival, Asker, Busy, Decision, DecisionKind, Effect, EnvelopeMark, Event,
        FetchFailure, Input, LoadKind, PeerMessage, Prompt, Reason, Reloads, Snooze, Source, Start,
        SwapOutcome, SwapRefusal, WaitReason, WorkerOutcome, WrongFile,
    },
    manifest::{ChunkKind, SlotKind, Store},
    names::Names,
    release::Urgency,
    slots::{Answer, Fetch, Migration, Module, Pointer, SlotUse, Step, Use},
    status::{
        ChangeoverSummary, HoldSummary, Level, PhaseName, ReleaseSummary, Status, StreamState,
        Trouble,
    },
    text,
};
use crate::{ids::BuildId, rng::hexadecimal, time::Timestamp};

/// What can be written as JSON.
pub trait ToJson {
    fn write(&self, out: &mut String);

    fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

/// A name and its value.
pub type Field<'a> = (&'static str, &'a dyn ToJson);

/// Writes `{"type":"<tag>", …}`; without a tag only the fields.
#[inline(never)]
pub fn write_object(out: &mut String, tag: &str, fields: &[Field]) {
    out.push('{');
    if !tag.is_empty() {
        out.push_str("\"type\":");
        write_text(out, tag);
    }
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 || !tag.is_empty() {
            out.push(',');
        }
        write_text(out, name);
        out.push(':');
        value.write(out);
    }
    out.push('}');
}

#[inline(never)]
fn write_text(out: &mut String, text: &str) {
    out.push('"');
    // What needs no escape is copied in one go: bodies of manifests are long.
    let mut rest = text;
    while let Some(at) = rest
        .bytes()
        .position(|byte| byte < b' ' || byte == b'"' || byte == b'\\')
    {
        let (plain, escaped) = rest.split_at(at);
        out.push_str(plain);
        let byte = escaped.bytes().next().unwrap_or_default();
        out.push('\\');
        match byte {
            b'"' | b'\\' => out.push(char::from(byte)),
            b'\n' => out.push('n'),
            b'\r' => out.push('r'),
            b'\t' => out.push('t'),
            8 => out.push('b'),
            12 => out.push('f'),
            _ => {
                out.push('u');
                out.push_str(&hexadecimal(byte.into(), 4));
            }
        }
        // The escaped character is one byte long.
        rest = escaped.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    out.push('"');
}

impl ToJson for String {
    fn write(&self, out: &mut String) {
        write_text(out, self);
    }
}

impl ToJson for BuildId {
    fn write(&self, out: &mut String) {
        write_text(out, &self.0);
    }
}

impl ToJson for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl ToJson for u64 {
    fn write(&self, out: &mut String) {
        out.push_str(&text::decimal(*self));
    }
}

impl ToJson for u32 {
    fn write(&self, out: &mut String) {
        u64::from(*self).write(out);
    }
}

impl ToJson for u16 {
    fn write(&self, out: &mut String) {
        u64::from(*self).write(out);
    }
}

impl ToJson for Timestamp {
    fn write(&self, out: &mut String) {
        self.0.write(out);
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn write(&self, out: &mut String) {
        out.push('[');
        for (index, item) in self.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            item.write(out);
        }
        out.push(']');
    }
}

impl<T: ToJson> ToJson for Names<T> {
    fn write(&self, out: &mut String) {
        out.push('{');
        for (index, (name, value)) in self.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write_text(out, name);
            out.push(':');
            value.write(out);
        }
        out.push('}');
    }
}

/// An enum without fields is its name.
macro_rules! names {
    ($type:ident: $($variant:ident $name:literal),+) => {
        impl ToJson for $type {
            fn write(&self, out: &mut String) {
                write_text(out, match self { $($type::$variant => $name),+ });
            }
        }
    };
}

/// A struct is its fields.
macro_rules! fields {
    ($type:ident: $($field:ident $name:literal),+) => {
        impl ToJson for $type {
            fn write(&self, out: &mut String) {
                write_object(out, "", &[$(($name, &self.$field)),+]);
            }
        }
    };
}

/// An enum with fields says its variant in `type`. What the pattern cannot say stands before the colon.
macro_rules! variants {
    (
        $type:ident $((|$out:ident| $own:pat => $write:expr))?:
        $($variant:ident $tag:literal $({ $($field:ident $name:literal),+ })?),+
    ) => {
        impl ToJson for $type {
            fn write(&self, out: &mut String) {
                $(let $out = &mut *out;)?
                match self {
                    $($own => $write,)?
                    $($type::$variant $({ $($field),+ })? => {
                        write_object(out, $tag, &[$($(($name, $field)),+)?])
                    })+
                }
            }
        }
    };
}

variants! { Input (|out| Input::Started(start) => write_start(out, start)):
    ReleaseFetched "releaseFetched" { body "body", events "events", date "date" },
    ReleaseFailed "releaseFailed" { failure "failure", retry_after "retryAfter" },
    ManifestFetched "manifestFetched" { build "build", body "body" },
    ManifestKept "manifestKept" { build "build", body "body" },
    ManifestFailed "manifestFailed" { build "build", failure "failure" },
    LoadedFilesListed "loadedFilesListed" { files "files", elements "elements", complete "complete" },
    SlotsListed "slotsListed" { slots "slots" },
    SwapAnswered "swapAnswered" { changeover "changeover", round "round", answer "answer" },
    FilesChecked "filesChecked" { build "build", wrong "wrong" },
    Sighted "sighted" { source "source", sequence "sequence", build "build" },
    LoadFailed "loadFailed" { kind "kind", message "message", url "url" },
    StreamOpened "streamOpened",
    StreamClosed "streamClosed",
    BecameVisible "becameVisible",
    BecameHidden "becameHidden",
    Focused "focused",
    WentOnline "wentOnline",
    WentOffline "wentOffline",
    Resumed "resumed",
    PageShown "pageShown" { persisted "persisted" },
    PageHid "pageHid",
    LeavingBegan "leavingBegan",
    UnloadAsked "unloadAsked" { objected "objected" },
    UnloadSettled "unloadSettled",
    UserActed "userActed",
    Elected "elected",
    Deposed "deposed",
    PeerHeard "peerHeard" { message "message" },
    HoldTaken "holdTaken" { hold "hold", reason "reason", deadline "deadline" },
    HoldReleased "holdReleased" { hold "hold" },
    CheckRequested "checkRequested",
    ReloadRequested "reloadRequested" { by "by" },
    SnoozeRequested "snoozeRequested",
    DocumentProbed "documentProbed" { failure "failure", ours "ours" },
    WorkerSeen "workerSeen" { controls "controls" },
    WorkerRenewed "workerRenewed" { changeover "changeover", outcome "outcome" },
    StateSaved "stateSaved",
    StateSaveFailed "stateSaveFailed" { message "message" },
    StateRestored "stateRestored" { restored "restored", failed "failed" },
    Woke "woke",
    Disposed "disposed"
}

fn write_start(out: &mut String, start: &Start) {
    let fields: &[Field] = &[
        ("build", &start.build),
        ("documentSequence", &start.document_sequence),
        ("seed", &start.seed),
        ("visitor", &start.visitor),
        ("visible", &start.visible),
        ("online", &start.online),
        ("locks", &start.locks),
        ("storage", &start.storage),
        ("highestSequence", &start.highest_sequence),
        ("highestApp", &start.highest_app),
        ("reloads", &start.reloads),
        ("snooze", &start.snooze),
        ("arrival", &start.arrival),
    ];
    write_object(out, "started", fields);
}

fields! { Reloads: target "target", count "count" }
fields! { Snooze: sequence "sequence", until "until" }
fields! { Arrival: changeover "changeover", from "from", to "to", at "at" }
names! { Source: Poll "poll", Stream "stream", Header "header", Peer "peer", Chunk "chunk" }
names! { LoadKind: Script "script", Style "style", Import "import", Error "error" }
names! { Asker: App "app", User "user", UserAnyway "userAnyway" }

variants! { FetchFailure:
    Network "network",
    Timeout "timeout",
    Status "status" { status "status" },
    TooLarge "tooLarge" { limit "limit" },
    Integrity "integrity",
    Length "length" { bytes "bytes" },
    Html "html",
    Redirected "redirected" { origin "origin" }
}

fields! { WrongFile: file "file", failure "failure" }

variants! { PeerMessage:
    Checked "checked" { sequence "sequence" },
    WhoIsVisible "whoIsVisible",
    Visible "visible" { tab "tab" },
    Hidden "hidden" { tab "tab" }
}

variants! { Effect:
    FetchRelease "fetchRelease",
    FetchManifest "fetchManifest" { build "build", path "path", integrity "integrity" },
    RefetchManifest "refetchManifest" { build "build", path "path", integrity "integrity" },
    ListLoadedFiles "listLoadedFiles",
    CheckFiles "checkFiles" { build "build", base "base", files "files" },
    OpenStream "openStream" { url "url" },
    CloseStream "closeStream",
    JoinElection "joinElection",
    LeaveElection "leaveElection",
    TellPeers "tellPeers" { message "message" },
    ProbeDocument "probeDocument",
    CaptureState "captureState" { changeover "changeover", from "from", to "to", stores "stores" },
    RestoreState "restoreState",
    MarkEnvelope "markEnvelope" { mark "mark" },
    TakeSwapStep "takeSwapStep" { changeover "changeover", round "round", to "to", step "step" },
    DiscardSwap "discardSwap" { changeover "changeover" },
    RememberSequence "rememberSequence" { sequence "sequence", app "app" },
    RememberReload "rememberReload" { target "target", count "count" },
    RememberSnooze "rememberSnooze" { snooze "snooze" },
    Advise "advise" { message "message" },
    RenewWorker "renewWorker" { changeover "changeover" },
    Reload "reload"
}

names! { WaitReason: Holds "holds", ServiceWorker "serviceWorker" }
names! { WorkerOutcome: Activated "activated", Unchanged "unchanged", Failed "failed" }
names! { EnvelopeMark: Left "left", Asked "asked", Gone "gone", Void "void" }

fields! { Store: schema "schema", reads "reads" }

fields! { SlotUse: slot "slot", state "state" }
names! { Use: Idle "idle", Mounted "mounted", Taken "taken" }
variants! { Step:
    Fetch "fetch" { files "files" },
    Import "import" { modules "modules", pointers "pointers" },
    AwaitQuiet "awaitQuiet" { slots "slots" },
    Snapshot "snapshot" { slots "slots" },
    Migrate "migrate" { states "states" },
    Mount "mount" { slots "slots", pointers "pointers", styles "styles" },
    Switch "switch" { slots "slots", pointers "pointers", styles "styles", styles_out "stylesOut" },
    Watch "watch" { slots "slots", files "files" },
    Commit "commit" { slots "slots", styles "styles" },
    RollBack "rollBack" { slots "slots" }
}
fields! { Fetch: file "file", integrity "integrity", size "size", kind "kind" }
fields! { Module: slot "slot", file "file", kind "kind" }
fields! { Migration: slot "slot", from "from", to "to" }
fields! { Pointer: slot "slot", file "file", css "css" }
names! { SlotKind: Module "module", Wasm "wasm", Unknown "unknown" }
names! { ChunkKind: Script "script", Style "style", Wasm "wasm", Asset "asset" }
variants! { Answer:
    Fetched "fetched",
    FetchFailed "fetchFailed" { file "file", failure "failure" },
    Imported "imported",
    ImportFailed "importFailed" { slot "slot", message "message" },
    Quiet "quiet",
    Vetoed "vetoed" { slot "slot" },
    PlaceUnknown "placeUnknown" { slot "slot" },
    Snapshotted "snapshotted",
    SnapshotFailed "snapshotFailed" { slot "slot", message "message" },
    Migrated "migrated",
    MigrationFailed "migrationFailed" { slot "slot", message "message" },
    NoMigrationPath "noMigrationPath" { slot "slot", message "message" },
    Mounted "mounted",
    MountFailed "mountFailed" { slot "slot", message "message" },
    NotShown "notShown" { slot "slot" },
    Disturbed "disturbed",
    Switched "switched",
    SwitchFailed "switchFailed" { message "message" },
    Threw "threw" { slot "slot", message "message" },
    Empty "empty" { slot "slot" },
    Unhealthy "unhealthy" { message "message" },
    WroteDurable "wroteDurable",
    Committed "committed",
    RolledBack "rolledBack",
    RollBackFailed "rollBackFailed" { message "message" }
}
fields! { SwapRefusal: why "why", slot "slot", file "file", root "root" }
names! { SwapOutcome: Committed "committed", Aborted "aborted", RolledBack "rolledBack", Kept "kept", Broken "broken" }

variants! { Event:
    StatusChanged "statusChanged",
    ReleaseSeen "releaseSeen" { sequence "sequence", build "build" },
    SkewFound "skewFound" { from "from", to "to", sequence "sequence" },
    SkewGone "skewGone",
    DecisionMade "decisionMade" { decision "decision" },
    PromptShown "promptShown" { prompt "prompt" },
    PromptHidden "promptHidden",
    ChangeoverStarted "changeoverStarted" { changeover "changeover", from "from", to "to" },
    ChangeoverWaiting "changeoverWaiting" { changeover "changeover", reason "reason", holds "holds" },
    ChangeoverAborted "changeoverAborted" { changeover "changeover", reason "reason" },
    ChangeoverDone "changeoverDone" { changeover "changeover", from "from", to "to" },
    SwapRefused "swapRefused" { to "to", refusals "refusals" },
    SwapEnded "swapEnded" {
        changeover "changeover",
        from "from",
        to "to",
        slots "slots",
        outcome "outcome",
        reason "reason",
        slot "slot",
        message "message"
    },
    StateRestored "stateRestored" { restored "restored", failed "failed" },
    ChunkFailed "chunkFailed" { url "url", message "message", skew "skew" },
    Problem "problem" { code "code", message "message" }
}

fields! { Decision: kind "kind", reason "reason" }
names! { DecisionKind: Ignore "ignore", Wait "wait", Swap "swap", Prompt "prompt", Reload "reload" }
names! { Reason:
    NoReleaseYet "noReleaseYet",
    SameBuild "sameBuild",
    UnknownRunningBuild "unknownRunningBuild",
    NothingLoadedChanged "nothingLoadedChanged",
    ManifestUnavailable "manifestUnavailable",
    ManifestPending "manifestPending",
    FilesPending "filesPending",
    TargetNotReady "targetNotReady",
    Snoozed "snoozed",
    NewBuild "newBuild",
    Rollback "rollback",
    Urgent "urgent",
    Retired "retired",
    ChunkFailed "chunkFailed",
    ReloadDidNotTake "reloadDidNotTake",
    Expired "expired",
    Reloading "reloading",
    SlotsChanged "slotsChanged",
    SwapPaused "swapPaused",
    BadBuild "badBuild"
}
names! { AbortReason:
    Offline "offline",
    Unreachable "unreachable",
    StateNotSaved "stateNotSaved",
    ReloadDidNotTake "reloadDidNotTake",
    ReloadIgnored "reloadIgnored",
    NoSkew "noSkew",
    Superseded "superseded",
    SwapFailed "swapFailed",
    Disposed "disposed"
}

fields! { Prompt:
    reason "reason",
    sequence "sequence",
    build "build",
    message "message",
    can_snooze "canSnooze",
    countdown_until "countdownUntil",
    busy "busy",
    trouble "trouble"
}
variants! { Busy: Holds "holds" { reasons "reasons" }, ServiceWorker "serviceWorker", Reloading "reloading" }

fields! { Status:
    level "level",
    level_reason "levelReason",
    build "build",
    release "release",
    skew "skew",
    decision "decision",
    leader "leader",
    stream "stream",
    last_check "lastCheck",
    failures "failures",
    last_failure "lastFailure",
    holds "holds",
    prompt "prompt",
    changeover "changeover"
}
names! { Level: Starting "starting", Full "full", Off "off" }
fields! { ReleaseSummary: sequence "sequence", build "build", urgency "urgency", message "message" }
names! { Urgency: Routine "routine", Soon "soon", Now "now" }
names! { StreamState: Off "off", Connecting "connecting", Open "open", Waiting "waiting" }
fields! { Trouble: code "code", message "message" }
fields! { HoldSummary: reason "reason", deadline "deadline" }
fields! { ChangeoverSummary: id "id", from "from", to "to", phase "phase" }
names! { PhaseName: Draining "draining", Probing "probing", Capturing "capturing", Renewing "renewing", Reloading "reloading", Swapping "swapping", Probation "probation" }
