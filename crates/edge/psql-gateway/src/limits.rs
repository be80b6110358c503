//! A socket that lets no client ask for too much memory, nor hold a connection by not reading.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_io_timeout::TimeoutWriter;

/// A stream whose messages have a greatest size, and whose peer must read.
pub(crate) struct Limited<S> {
    stream: Pin<Box<TimeoutWriter<S>>>,
    sizes: Sizes,
}

impl<S: AsyncWrite> Limited<S> {
    /// Lets through messages of up to `max_message` bytes, of which `read` has been read already; fails when the peer reads
    /// nothing for as long as `patience`.
    pub(crate) fn new(
        stream: S,
        max_message: usize,
        read: &[u8],
        patience: Duration,
    ) -> io::Result<Self> {
        let mut sizes = Sizes::new(max_message);
        sizes.see(read)?;
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout(Some(patience));
        Ok(Self {
            stream: Box::pin(stream),
            sizes,
        })
    }
}

/// Follows the sizes of messages in a stream of bytes.
#[derive(Debug)]
struct Sizes {
    max: usize,
    /// The message type and the length of the current message, as far as they are there.
    head: Vec<u8>,
    /// How many bytes of its body are to come.
    body: usize,
    /// The first message has no type.
    first: bool,
}

impl Sizes {
    fn new(max: usize) -> Self {
        Self {
            max,
            head: Vec::with_capacity(5),
            body: 0,
            first: true,
        }
    }

    fn see(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.body > 0 {
                let passed = self.body.min(bytes.len());
                self.body -= passed;
                bytes = &bytes[passed..];
                continue;
            }
            self.head.push(bytes[0]);
            bytes = &bytes[1..];
            let before = usize::from(!self.first);
            let Some(length) = self.head.get(before..before + 4) else {
                continue;
            };
            let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
            // The length counts itself.
            let body = usize::try_from(length)
                .ok()
                .and_then(|length| length.checked_sub(4));
            match body {
                Some(body) if body <= self.max => self.body = body,
                _ => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("a message of {length} bytes; the most is {}", self.max),
                    ));
                }
            }
            self.head.clear();
            self.first = false;
        }
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite> AsyncRead for Limited<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(self.stream.as_mut().poll_read(cx, buf))?;
        let read = &buf.filled()[before..];
        Poll::Ready(self.sizes.see(read))
    }
}

impl<S: AsyncWrite> AsyncWrite for Limited<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn startup_and_query(query: usize) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 9, 0, 3, 0, 0, 0];
        bytes.push(b'Q');
        bytes.extend(u32::try_from(query + 4).unwrap().to_be_bytes());
        bytes.extend(std::iter::repeat_n(b'x', query));
        bytes
    }

    proptest! {
        #[test]
        fn a_message_passes_exactly_if_it_is_not_too_large_however_it_is_cut(query in 0_usize..200, cut in 1_usize..50) {
            let mut sizes = Sizes::new(100);
            let bytes = startup_and_query(query);
            let passed = bytes.chunks(cut).try_for_each(|chunk| sizes.see(chunk)).is_ok();
            prop_assert_eq!(passed, query <= 100);
        }
    }

    #[test]
    fn a_length_that_cannot_be_is_refused() {
        for length in [0_u32, 3, u32::MAX] {
            assert!(
                Sizes::new(100).see(&length.to_be_bytes()).is_err(),
                "{length}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_given_up() {
        use tokio::io::AsyncWriteExt;
        let (near, _far) = tokio::io::duplex(8);
        let mut near = Limited::new(near, 100, &[], Duration::from_secs(5)).unwrap();
        let error = near.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
