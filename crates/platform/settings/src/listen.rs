//! Addresses to listen on, and the listener.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// Parses an address to listen on. Host names are not accepted: `localhost`, for example, may have several addresses.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "must be an IP address and a port: 127.0.0.1:3000 for this machine only, 0.0.0.0:3000 or [::]:3000 for all machines \
         that can reach it"
            .to_owned()
    })
}

/// Listens with Nagle's algorithm disabled, also for accepted connections: durable handlers and Restate exchange many small frames,
/// and Nagle's algorithm would delay a frame by tens of milliseconds until the previous one is acknowledged.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // Like `TcpListener::bind`, so that a restarted part can use its port again at once.
    socket.set_reuseaddr(true)?;
    socket.set_nodelay(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

/// Declares `Listen`, the listen address of a part, with its help text, flag, environment variable and default.
#[macro_export]
macro_rules! listen_address {
    ($(#[$doc:meta])+ $long:literal, $env:literal, $default:literal) => {
        $(#[$doc])+
        #[derive(Debug, Clone, ::clap::Args)]
        #[group(skip)]
        pub struct Listen {
            $(#[$doc])+
            #[arg(long = $long, id = $long, env = $env, default_value = $default)]
            #[arg(value_parser = $crate::address, value_name = "ADDRESS")]
            pub address: ::std::net::SocketAddr,
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_addresses_are_refused_with_an_example() {
        for good in ["127.0.0.1:1", "[::1]:0", "0.0.0.0:65535"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "localhost:3000",
            ":3000",
            "3000",
            "127.0.0.1",
            "127.0.0.1:65536",
        ] {
            assert!(address(bad).unwrap_err().contains("0.0.0.0:3000"), "{bad}");
        }
    }
}
