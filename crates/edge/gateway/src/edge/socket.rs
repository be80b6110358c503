//! A connection that gives up on clients that neither send nor read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tokio_io_timeout::TimeoutWriter;

use super::refusals;

/// How long a client may take to read something of an answer. Who is not at the other end at all any more is found by this too:
/// a stream says something at least every 15 s.
const READS_WITHIN: Duration = Duration::from_mins(1);

/// How many requests of a connection are being answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct InHand(Arc<AtomicUsize>);

/// A request in hand, until this is dropped.
#[derive(Debug)]
pub(crate) struct Held(Arc<AtomicUsize>);

impl InHand {
    pub(crate) fn begin(&self) -> Held {
        self.0.fetch_add(1, Ordering::Relaxed);
        Held(Arc::clone(&self.0))
    }

    fn is_none(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The stream of a connection.
///
/// A request's head has to be there within a time from its first byte, the first request's from the start. What follows the
/// head is the business of who reads the body. How long a connection may be idle between requests is hyper's business.
#[derive(Debug)]
pub(crate) struct Socket<S> {
    /// Fails if the client does not read.
    stream: Pin<Box<TimeoutWriter<S>>>,
    in_hand: InHand,
    head_within: Duration,
    /// Runs while a head is arriving.
    head: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncWrite> Socket<S> {
    pub(crate) fn new(stream: S, in_hand: InHand, head_within: Duration) -> Self {
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout(Some(READS_WITHIN));
        Self {
            stream: Box::pin(stream),
            in_hand,
            head_within,
            head: Some(Box::pin(sleep(head_within))),
        }
    }
}

/// What became of writing, with the client who does not read counted.
fn written<T>(poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
    poll.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => given_up("client-does-not-read"),
        _ => error,
    })
}

fn given_up(reason: &'static str) -> io::Error {
    refusals::count(reason);
    io::Error::new(io::ErrorKind::TimedOut, reason)
}

impl<S: AsyncRead + AsyncWrite> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        let poll = this.stream.as_mut().poll_read(cx, buf);
        if !this.in_hand.is_none() {
            this.head = None;
            return poll;
        }
        match poll {
            Poll::Ready(result) => {
                if this.head.is_none() && buf.filled().len() > before {
                    this.head = Some(Box::pin(sleep(this.head_within)));
                }
                Poll::Ready(result)
            }
            Poll::Pending => match &mut this.head {
                Some(head) => (head.as_mut().poll(cx)).map(|()| Err(given_up("slow-head"))),
                None => Poll::Pending,
            },
        }
    }
}

impl<S: AsyncWrite> AsyncWrite for Socket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        written(self.stream.as_mut().poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        written(self.stream.as_mut().poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        written(self.stream.as_mut().poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        written(self.stream.as_mut().poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const WITHIN: Duration = Duration::from_secs(10);

    fn pair() -> (Socket<DuplexStream>, InHand, DuplexStream) {
        let (near, far) = duplex(8);
        let in_hand = InHand::default();
        (Socket::new(near, in_hand.clone(), WITHIN), in_hand, far)
    }

    async fn after(far: &mut DuplexStream, wait: Duration, bytes: &[u8]) {
        sleep(wait).await;
        far.write_all(bytes).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_comes_a_byte_at_a_time_does_not_come() {
        let (mut near, _, mut far) = pair();
        let slow = tokio::spawn(async move {
            loop {
                after(&mut far, Duration::from_secs(3), b"x").await;
            }
        });
        let error = near.read_exact(&mut [0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        slow.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_at_first_is_given_up_and_who_waits_between_requests_is_not() {
        let (mut near, _, _far) = pair();
        let error = near.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);

        let (mut near, in_hand, mut far) = pair();
        far.write_all(b"12").await.unwrap();
        near.read_u8().await.unwrap();
        // The head was there: the request is in hand. Its body may take its time, and so may the next request.
        let held = in_hand.begin();
        let body = tokio::spawn(async move {
            after(&mut far, 2 * WITHIN, b"3").await;
            after(&mut far, 2 * WITHIN, b"4").await;
            after(&mut far, 2 * WITHIN, b"5").await;
        });
        near.read_exact(&mut [0; 2]).await.unwrap();
        drop(held);
        near.read_u8().await.unwrap();
        // A head has begun.
        let error = near.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        body.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_given_up() {
        let (mut near, _, _far) = pair();
        let error = near.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
