//! A connection that is closed when its client neither sends nor reads.

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

/// How long a client may take to read some of an answer. This also detects clients that are gone: a stream sends something at
/// least every 15 s.
const READS_WITHIN: Duration = Duration::from_mins(1);

/// How many requests of a connection are being answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct InHand(Arc<AtomicUsize>);

/// A request that is being answered, until this is dropped.
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
/// A request's head must arrive within a time limit, which begins with its first byte; for the first request, with the
/// connection. What follows the head is up to the reader of the body, and idle time between requests is up to hyper.
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

/// The result of a write. Counts clients that do not read.
fn written<T>(poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
    poll.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => timed_out("client-does-not-read"),
        _ => error,
    })
}

fn timed_out(reason: &'static str) -> io::Error {
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
                Some(head) => (head.as_mut().poll(cx)).map(|()| Err(timed_out("slow-head"))),
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
    async fn a_head_that_arrives_byte_by_byte_times_out() {
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
    async fn a_silent_new_client_times_out_and_an_idle_one_between_requests_does_not() {
        let (mut near, _, _far) = pair();
        let error = near.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);

        let (mut near, in_hand, mut far) = pair();
        far.write_all(b"12").await.unwrap();
        near.read_u8().await.unwrap();
        // The head has arrived: the request is being answered. Its body may take its time, and so may the next request.
        let held = in_hand.begin();
        let body = tokio::spawn(async move {
            after(&mut far, 2 * WITHIN, b"3").await;
            after(&mut far, 2 * WITHIN, b"4").await;
            after(&mut far, 2 * WITHIN, b"5").await;
        });
        near.read_exact(&mut [0; 2]).await.unwrap();
        drop(held);
        near.read_u8().await.unwrap();
        // The next head has begun.
        let error = near.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        body.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_times_out() {
        let (mut near, _, _far) = pair();
        let error = near.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
