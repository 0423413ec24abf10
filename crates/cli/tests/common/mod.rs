//! Dists, servers and requests for the tests of this crate.

#![allow(dead_code, reason = "each test file uses its own part")]

pub mod shop;
pub mod site;

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

pub const BINARY: &str = env!("CARGO_BIN_EXE_changeover");

/// A folder with these files, removed at the end.
pub fn folder<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        put(folder.path(), path, text);
    }
    folder
}

pub fn put(folder: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let file = folder.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

pub fn text(folder: &Path, path: &str) -> String {
    fs::read_to_string(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn json(folder: &Path, path: &str) -> Value {
    serde_json::from_str(&text(folder, path)).unwrap()
}

/// Every file below `folder`, sorted, with `/` between the parts.
pub fn files_below(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), &format!("{path}/"), found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, "", &mut found);
    found.sort();
    found
}

/// An index with our tag, as a developer writes it by hand.
pub fn index(scripts: &[&str]) -> String {
    let scripts: String = scripts
        .iter()
        .map(|src| format!("<script type=module src=\"{src}\"></script>\n"))
        .collect();
    format!(
        "<!doctype html>\n<script src=\"/changeover.js\" data-release=\"/changeover/release.json\"></script>\n{scripts}<p>hello\n"
    )
}

/// Runs the binary to its end.
pub fn changeover<'a>(words: impl IntoIterator<Item = &'a str>) -> Output {
    Command::new(BINARY).args(words).output().unwrap()
}

/// Runs the binary with `--json` and returns its exit code and output.
pub fn changeover_json<'a>(words: impl IntoIterator<Item = &'a str>) -> (i32, Value) {
    let out = changeover(words.into_iter().chain(["--json"]));
    let stdout = String::from_utf8(out.stdout).unwrap();
    let value = serde_json::from_str(&stdout).unwrap_or_else(|error| {
        panic!(
            "{error}: {stdout:?} {}",
            String::from_utf8_lossy(&out.stderr)
        )
    });
    (out.status.code().unwrap(), value)
}

/// Publishes with the binary; panics when that fails.
pub fn publish(dist: &Path, site: &Path, more: &[&str]) -> Value {
    let words = [
        "publish",
        dist.to_str().unwrap(),
        "--to",
        site.to_str().unwrap(),
    ];
    let (code, value) = changeover_json(words.into_iter().chain(more.iter().copied()));
    assert_eq!(code, 0, "{value}");
    value
}

/// Starts a publish, which stops at a failpoint (a number or a name) or runs to its end. The caller kills it.
pub fn publish_up_to(failpoint: &str, dist: &Path, site: &Path, more: &[&str]) -> Child {
    let words = [
        "publish",
        dist.to_str().unwrap(),
        "--to",
        site.to_str().unwrap(),
    ];
    run_up_to(failpoint, words.into_iter().chain(more.iter().copied()))
}

/// Starts the binary, which stops at a failpoint or runs to its end. The caller kills it.
pub fn run_up_to<'a>(failpoint: &str, words: impl IntoIterator<Item = &'a str>) -> Child {
    let mut command = Command::new(BINARY);
    command.args(words);
    start_up_to(failpoint, command)
}

/// Starts a command, which stops at a failpoint or runs to its end. The caller kills it.
pub fn start_up_to(failpoint: &str, mut command: Command) -> Child {
    let mut child = command
        .env("CHANGEOVER_FAILPOINTS", failpoint)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while stderr.read_line(&mut line).unwrap() > 0 && !line.contains("stopped at failpoint") {
        line.clear();
    }
    child
}

/// Kills a process with SIGKILL.
pub fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The codes of the notes of a `publish --json`.
pub fn note_codes(published: &Value) -> Vec<&str> {
    published["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note["code"].as_str().unwrap())
        .collect()
}

/// `changeover serve`, ended when dropped.
pub struct Served {
    pub child: Child,
    /// With a slash at the end.
    pub url: String,
    pub address: String,
    said: Arc<Mutex<String>>,
}

impl Served {
    pub fn start(site: &Path) -> Self {
        Self::start_with(site, &[], None)
    }

    /// With more words on the command line, and at most so many open files.
    pub fn start_with(site: &Path, words: &[&str], open_files: Option<u32>) -> Self {
        let mut command = match open_files {
            None => Command::new(BINARY),
            Some(limit) => {
                let mut shell = Command::new("sh");
                shell.args([
                    "-c",
                    &format!("ulimit -n {limit}; exec \"$@\""),
                    "sh",
                    BINARY,
                ]);
                shell
            }
        };
        let mut child = command
            .args(["serve", site.to_str().unwrap(), "--port", "0"])
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let prefix = format!("serving {} at ", site.display());
        let url = line
            .trim_end()
            .strip_prefix(&prefix)
            .unwrap_or_else(|| panic!("the first line is {line:?}"))
            .to_owned();
        let address = url["http://".len()..].split('/').next().unwrap().to_owned();
        let said = Arc::new(Mutex::new(String::new()));
        let (stderr, heard) = (child.stderr.take().unwrap(), said.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                *heard.lock().unwrap() += &format!("{line}\n");
            }
        });
        Self {
            child,
            url,
            address,
            said,
        }
    }

    /// Its output on standard error so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// The build that `release.json` names.
    pub fn live(&self) -> String {
        let release: Value = serde_json::from_slice(&self.get("changeover/release.json").body)
            .unwrap_or(Value::Null);
        release["build"]["id"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// `path` has no slash in front and is already encoded.
    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path, &[])
    }

    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let path = format!(
            "{}{path}",
            &self.url["http://".len() + self.address.len()..]
        );
        request(&self.address, method, &path, headers)
    }

    pub fn terminate(&self) {
        let status = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// Lower-case names.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// One request on a connection of its own, the path sent exactly as it is given.
pub fn request(address: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut client = Client::new(address);
    client.request(method, path, headers).unwrap()
}

/// Keeps its connection from request to request.
pub struct Client {
    address: String,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    pub fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            connection: None,
        }
    }

    pub fn get(&mut self, path: &str) -> io::Result<Response> {
        self.request("GET", path, &[])
    }

    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> io::Result<Response> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect(&self.address)?;
                stream.set_read_timeout(Some(Duration::from_secs(60)))?;
                stream.set_nodelay(true)?;
                BufReader::new(stream)
            }
        };
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        connection
            .get_mut()
            .write_all(format!("{head}\r\n").as_bytes())?;
        let status_line = line(&mut connection)?;
        let status = status_line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .ok_or(io::ErrorKind::InvalidData)?;
        let mut headers = HashMap::new();
        loop {
            let line = line(&mut connection)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length: usize = match headers.get("content-length") {
            Some(_) if method == "HEAD" || status == 304 => 0,
            Some(length) => length.parse().map_err(|_| io::ErrorKind::InvalidData)?,
            None if method == "HEAD" || status == 304 => 0,
            None => return Err(io::ErrorKind::InvalidData.into()),
        };
        let mut body = vec![0; length];
        connection.read_exact(&mut body)?;
        self.connection = Some(connection);
        Ok(Response {
            status,
            headers,
            body,
        })
    }
}

fn line(connection: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

/// A response without a length, read until the connection ends.
pub fn until_the_end(served: &Served, path: &str, coding: &str) -> Response {
    let mut stream = TcpStream::connect(&served.address).unwrap();
    let base = &served.url["http://".len() + served.address.len()..];
    let head = format!("GET {base}{path} HTTP/1.0\r\naccept-encoding: {coding}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let status = line(&mut reader).unwrap()[9..12].parse().unwrap();
    let mut headers = HashMap::new();
    while let Some((name, value)) = line(&mut reader).unwrap().split_once(':') {
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = Vec::new();
    reader.read_to_end(&mut body).unwrap();
    Response {
        status,
        headers,
        body,
    }
}

/// Waits until a condition holds.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An open event stream.
pub struct Events {
    reader: BufReader<TcpStream>,
}

impl Events {
    pub fn open(served: &Served) -> Self {
        let mut stream = TcpStream::connect(&served.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let path = &served.url["http://".len() + served.address.len()..];
        write!(
            stream,
            "GET {path}changeover/events HTTP/1.1\r\nhost: x\r\n\r\n"
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            assert!(
                reader.read_line(&mut line).unwrap() > 0,
                "the stream ended in its head"
            );
        }
        Self { reader }
    }

    /// The data of the next event, and how long it took.
    pub fn next(&mut self) -> (Value, Duration) {
        let start = Instant::now();
        let mut named = false;
        loop {
            let line = self.line().expect("the stream ended");
            named |= line == "event: release";
            if let Some(data) = line.strip_prefix("data: ") {
                assert!(named, "an event without its name");
                return (serde_json::from_str(data).unwrap(), start.elapsed());
            }
        }
    }

    /// `None` at the end of the stream.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let n = self.reader.read_line(&mut line).unwrap();
        (n > 0).then(|| line.trim_end().to_owned())
    }
}

pub fn path(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}
