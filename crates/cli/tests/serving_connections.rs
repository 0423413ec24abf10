//! How `serve` treats connections: slow ones, many of them, wrong ones, and the end.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use changeover_cli::serve::{Ending, Limits, ServeOptions, Server};
use common::{Events, Served, folder, put, until};
use tokio::sync::watch;

/// A server in this process, with short limits.
struct Short {
    address: String,
    ending: watch::Sender<Ending>,
}

impl Short {
    fn start(site: &Path, limits: Limits) -> Self {
        let options = ServeOptions {
            site: site.to_path_buf(),
            host: "127.0.0.1".into(),
            port: 0,
            drain: Duration::ZERO,
            limits,
        };
        let (ending, told) = watch::channel(Ending::NotYet);
        let (tell, hear) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let server = Server::bind(&options).await.unwrap();
                tell.send(server.address().to_string()).unwrap();
                server.run(told).await;
            });
            runtime.shutdown_background();
        });
        let address = hear.recv().unwrap();
        Self { address, ending }
    }

    fn connect(&self) -> TcpStream {
        connect(&self.address)
    }
}

impl Drop for Short {
    fn drop(&mut self) {
        let _ = self.ending.send(Ending::AtOnce);
    }
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).unwrap();
    stream
}

/// Everything until the other side closes.
fn rest(mut stream: &TcpStream) -> String {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

fn said(address: &str, request: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).unwrap();
    rest(&stream)
}

#[test]
fn connections_that_never_finish_a_request_are_closed() {
    let site = folder([("index.html", "<p>")]);
    let limits = Limits {
        request: Duration::from_millis(500),
        ..Limits::default()
    };
    let server = Short::start(site.path(), limits);
    let start = Instant::now();
    let silent = server.connect();
    let mut half = server.connect();
    half.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").unwrap();
    let mut drops = server.connect();
    drops
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    drops.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").unwrap();
    let mut closed = false;
    while !closed && start.elapsed() < Duration::from_secs(30) {
        // A byte now and then buys no time.
        closed =
            drops.write_all(b"a: b\r\n").is_err() || matches!(drops.read(&mut [0; 1024]), Ok(0));
    }
    assert!(closed, "it lived on drop by drop");
    let mut idle = server.connect();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    assert!(
        rest(&idle).ends_with("<p>"),
        "kept for a while, then closed"
    );
    rest(&silent);
    rest(&half);
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_body_that_no_answer_needs_is_not_waited_for() {
    let site = folder([("index.html", "<p>")]);
    let server = Short::start(site.path(), Limits::default());
    let start = Instant::now();
    for (request, status) in [
        (
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nab",
            "405",
        ),
        (
            "GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nab",
            "200",
        ),
        (
            "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
            "405",
        ),
    ] {
        let answer = said(&server.address, request);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_client_that_takes_nothing_of_its_answer_is_let_go() {
    let site = folder([("index.html", "<p>")]);
    put(site.path(), "large.bin", vec![7; 40_000_000]);
    let limits = Limits {
        taking: Duration::from_millis(500),
        ..Limits::default()
    };
    let server = Short::start(site.path(), limits);
    let mut lazy = server.connect();
    let request = b"GET /large.bin HTTP/1.1\r\nhost: x\r\n\r\n";
    lazy.write_all(request).unwrap();
    // Slower than at once, but always something: that goes on.
    let mut slow = server.connect();
    slow.write_all(request).unwrap();
    let (mut taken, start) = (0, Instant::now());
    let mut piece = vec![0; 4_000_000];
    while start.elapsed() < Duration::from_secs(3) {
        taken += slow.read(&mut piece).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(taken > 0);
    loop {
        match slow.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => taken += n,
            Err(error) => panic!("after {taken} bytes: {error}"),
        }
        if taken >= 40_000_000 {
            break;
        }
    }
    let got = rest(&lazy).len();
    assert!(got < 40_000_000, "{got}");
}

#[test]
fn a_crowd_of_idle_connections_leaves_room_for_others() {
    let site = folder([("index.html", "<p>hello")]);
    let served = Served::start_with(site.path(), &[], Some(256));
    let mut crowd = Vec::new();
    for nth in 0..250 {
        let mut stream = connect(&served.address);
        if nth % 2 == 0 {
            stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").unwrap();
        }
        crowd.push(stream);
    }
    let start = Instant::now();
    for _ in 0..20 {
        assert_eq!(served.get("").text(), "<p>hello");
    }
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    assert!(
        !served.said().contains("no connection can be accepted"),
        "{}",
        served.said()
    );
}

#[test]
fn event_streams_give_way_too_and_a_download_does_not() {
    let site = folder([("index.html", "<p>hello")]);
    put(site.path(), "large.bin", vec![7; 40_000_000]);
    let served = Served::start_with(site.path(), &["--max-connections", "4"], None);
    let mut download = connect(&served.address);
    download
        .write_all(b"GET /large.bin HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut first = vec![0; 1000];
    download.read_exact(&mut first).unwrap();
    let streams: Vec<_> = (0..3).map(|_| Events::open(&served)).collect();
    for _ in 0..5 {
        assert_eq!(served.get("").text(), "<p>hello");
    }
    let mut all = Vec::new();
    download.read_to_end(&mut all).unwrap();
    assert!(first.len() + all.len() > 40_000_000);
    drop(streams);
}

#[test]
fn a_request_has_exactly_one_host() {
    let site = folder([("index.html", "<p>hello")]);
    let served = Served::start(site.path());
    for (head, status) in [
        ("GET / HTTP/1.1\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: a\r\nHost: a\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: a/b\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: a b\r\n", "400"),
        ("GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n", "200"),
        (
            "GET / HTTP/1.1\r\nhost: [::1]:80\r\nconnection: close\r\n",
            "200",
        ),
        ("GET / HTTP/1.1\r\nhost:\r\nconnection: close\r\n", "200"),
        (
            "GET http://a/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n",
            "200",
        ),
        ("GET / HTTP/1.0\r\n", "200"),
    ] {
        let answer = said(&served.address, &format!("{head}\r\n"));
        assert!(answer.contains(&format!(" {status} ")), "{head}: {answer}");
    }
}

#[test]
fn a_download_is_finished_after_sigterm_and_new_clients_are_refused() {
    let site = folder([("index.html", "<p>hello")]);
    put(site.path(), "large.bin", vec![7; 40_000_000]);
    put(site.path(), "cached.bin", vec![7; 6_000_000]);
    let mut served = Served::start(site.path());
    let mut half = connect(&served.address);
    half.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").unwrap();
    let mut downloads: Vec<_> = [("large.bin", 40_000_000), ("cached.bin", 6_000_000)]
        .into_iter()
        .map(|(file, size)| {
            let mut stream = connect(&served.address);
            let request = format!("GET /{file} HTTP/1.1\r\nhost: x\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            let mut first = vec![0; 100_000];
            stream.read_exact(&mut first).unwrap();
            (stream, first.len(), size)
        })
        .collect();
    served.terminate();
    until("new clients are refused", || {
        TcpStream::connect(&served.address).is_err()
    });
    std::thread::sleep(Duration::from_secs(2));
    for (stream, first, size) in &mut downloads {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        assert!(
            *first + all.len() > *size,
            "{} of {size}",
            *first + all.len()
        );
    }
    let start = Instant::now();
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn the_time_for_downloads_can_be_set_and_a_second_signal_ends_at_once() {
    let site = folder([("index.html", "<p>hello")]);
    put(site.path(), "large.bin", vec![7; 40_000_000]);
    for (seconds, signals) in [("1", 1), ("3000", 2)] {
        let mut served = Served::start_with(site.path(), &["--drain", seconds], None);
        let mut stuck = connect(&served.address);
        stuck
            .write_all(b"GET /large.bin HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
        stuck.read_exact(&mut [0; 1000]).unwrap();
        let start = Instant::now();
        for _ in 0..signals {
            served.terminate();
            // Two signals at the same moment are one.
            std::thread::sleep(Duration::from_millis(300));
        }
        assert_eq!(served.child.wait().unwrap().code(), Some(0));
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{seconds}: {:?}",
            start.elapsed()
        );
    }
}

#[test]
fn event_streams_are_told_to_come_back_later() {
    let site = folder([("index.html", "<p>hello")]);
    let mut served = Served::start(site.path());
    let mut streams: Vec<_> = (0..8).map(|_| Events::open(&served)).collect();
    served.terminate();
    let mut waits = Vec::new();
    for stream in &mut streams {
        let mut retry = None;
        while let Some(line) = stream.line() {
            retry = line.strip_prefix("retry: ").map(str::to_owned).or(retry);
        }
        let wait: u32 = retry
            .expect("no word of when to come back")
            .parse()
            .unwrap();
        assert!((1000..5000).contains(&wait), "{wait}");
        waits.push(wait);
    }
    waits.dedup();
    assert!(waits.len() > 1, "all at the same time: {waits:?}");
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
}
