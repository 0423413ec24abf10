//! The state of a connection: what it is doing, since when, and how to end it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Sleep;

use super::response::Body;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It is idle, or its client is sending a request.
    Waiting,
    Answering,
    /// It holds an event stream.
    Streaming,
}

/// Shared by the connection and the code that may end it.
#[derive(Debug)]
pub struct Connection {
    doing: AtomicU8,
    /// The client does not read what the server has sent.
    is_full: AtomicBool,
    /// When its current state began, in milliseconds since `opened`.
    since: AtomicU64,
    opened: Instant,
    /// Notified to end the connection at once.
    pub ended: Notify,
}

impl Connection {
    pub fn new() -> Self {
        Self {
            doing: AtomicU8::new(0),
            is_full: AtomicBool::new(false),
            since: AtomicU64::new(0),
            opened: Instant::now(),
            ended: Notify::new(),
        }
    }

    pub fn does(&self, doing: Doing) {
        let code = match doing {
            Doing::Waiting => 0,
            Doing::Answering => 1,
            Doing::Streaming => 2,
        };
        self.doing.store(code, Ordering::Relaxed);
        let since = self.opened.elapsed().as_millis();
        self.since
            .store(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn doing(&self) -> Doing {
        match self.doing.load(Ordering::Relaxed) {
            0 if !self.is_full.load(Ordering::Relaxed) => Doing::Waiting,
            2 => Doing::Streaming,
            _ => Doing::Answering,
        }
    }

    /// When its current state began.
    pub fn since(&self) -> Instant {
        self.opened + Duration::from_millis(self.since.load(Ordering::Relaxed))
    }
}

/// The body of a response. After its last byte the connection is waiting again.
#[derive(Debug)]
pub struct Answered {
    body: Body,
    connection: Arc<Connection>,
}

impl Answered {
    pub fn new(body: Body, connection: Arc<Connection>) -> Self {
        Self { body, connection }
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.connection.does(Doing::Waiting);
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = <Body as HttpBody>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket whose client must read something from time to time while data waits for it.
#[derive(Debug)]
pub struct Watched {
    stream: TcpStream,
    connection: Arc<Connection>,
    patience: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub fn new(stream: TcpStream, connection: Arc<Connection>, patience: Duration) -> Self {
        Self {
            stream,
            connection,
            patience,
            timer: None,
        }
    }

    fn timed<T>(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let was_full = self.connection.is_full.load(Ordering::Relaxed);
        if outcome.is_ready() {
            if was_full {
                self.connection.is_full.store(false, Ordering::Relaxed);
            }
            return outcome;
        }
        if !was_full {
            self.connection.is_full.store(true, Ordering::Relaxed);
        }
        let patience = self.patience;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        if !was_full {
            timer.as_mut().reset(tokio::time::Instant::now() + patience);
        }
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.timed(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.timed(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
