//! Passwords and TLS, with the real `psql`.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};
use end_to_end_tests::{Options, SOON, System, eventually, psql_gateway};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A second psql gateway, with a password and a certificate. It is killed on drop.
struct Gateway {
    process: Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl Gateway {
    async fn start(system: &System) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let file = |name: &str| directory.path().join(name);
        for name in ["server", "other"] {
            let CertifiedKey { cert, signing_key } =
                generate_simple_self_signed(["localhost".to_owned()])?;
            std::fs::write(file(&format!("{name}.crt")), cert.pem())?;
            std::fs::write(file(&format!("{name}.key")), signing_key.serialize_pem())?;
        }
        std::fs::write(file("passwords"), "anna:open sesame\n")?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let process = Command::new(psql_gateway()?)
            .arg(format!("--listen=127.0.0.1:{port}"))
            .arg(format!(
                "--restate-admin={}",
                system.address("restate-admin")?
            ))
            .arg("--password-file")
            .arg(file("passwords"))
            .arg("--tls-cert")
            .arg(file("server.crt"))
            .arg("--tls-key")
            .arg(file("server.key"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let gateway = Self {
            process,
            port,
            directory,
        };
        eventually("the gateway to listen", SOON, async || {
            TcpStream::connect(("127.0.0.1", port))
                .await
                .map_err(|error| error.to_string())
        })
        .await;
        Ok(gateway)
    }

    /// Runs `psql` with `\conninfo` and a query. Returns its standard output and standard error.
    async fn ask(
        &self,
        password: Option<&str>,
        connection: &str,
    ) -> anyhow::Result<(String, String)> {
        let mut command = tokio::process::Command::new("psql");
        command
            .args([
                "--no-psqlrc",
                "--no-password",
                "--no-align",
                "--tuples-only",
            ])
            .args([
                "--command=\\conninfo",
                "--command=select count(*) from state",
            ])
            .arg(format!(
                "host=localhost hostaddr=127.0.0.1 port={} user=anna {connection}",
                self.port
            ))
            // Ignores certificates and passwords of the user who runs the test.
            .env("HOME", self.directory.path())
            .env_remove("PGPASSWORD")
            .envs(password.map(|password| ("PGPASSWORD", password)))
            .stdin(Stdio::null());
        let output = command
            .output()
            .await
            .context("running psql, which `cargo xtask test` checks for")?;
        Ok((
            String::from_utf8(output.stdout)?,
            String::from_utf8(output.stderr)?,
        ))
    }

    /// The port of somebody in between, who puts a startup message into the connection of a client that asks for TLS.
    async fn meddler(&self) -> anyhow::Result<u16> {
        const STARTUP: &[u8] = b"\0\0\0\x13\0\x03\0\0user\0anna\0\0";
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let gateway = self.port;
        tokio::spawn(async move {
            let (mut client, _) = listener.accept().await?;
            let mut server = TcpStream::connect(("127.0.0.1", gateway)).await?;
            let mut request = [0; 8];
            client.read_exact(&mut request).await?;
            server.write_all(&[&request[..], STARTUP].concat()).await?;
            tokio::io::copy_bidirectional(&mut client, &mut server).await
        });
        Ok(port)
    }

    fn certificate(&self, name: &str) -> String {
        let path: &Path = self.directory.path();
        format!("sslrootcert={}", path.join(name).display())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn only_clients_with_the_password_and_tls_are_admitted() -> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    let gateway = Gateway::start(&system).await?;
    let ours = gateway.certificate("server.crt");
    let others = gateway.certificate("other.crt");
    let right = Some("open sesame");

    for connection in [
        &*format!("sslmode=verify-full {ours}"),
        &format!("sslmode=verify-ca {ours} channel_binding=require"),
        "sslmode=require channel_binding=require",
        "sslmode=require channel_binding=disable",
        // The default of psql.
        "sslmode=prefer",
    ] {
        let (out, err) = gateway.ask(right, connection).await?;
        let count = out.lines().last().and_then(|line| line.parse::<u32>().ok());
        ensure!(
            err.is_empty() && out.contains("TLS") && count.is_some(),
            "{connection}: {out}{err}"
        );
    }

    // What was there before TLS counts for nothing, not even as an answer: the connection breaks.
    let meddled = format!("sslmode=require port={}", gateway.meddler().await?);
    let (out, err) = gateway.ask(right, &meddled).await?;
    let is_broken = err.contains("SSL SYSCALL error") || err.contains("server closed");
    ensure!(out.is_empty() && is_broken, "{out}{err}");

    for (password, connection, complaint) in [
        (
            right,
            &*format!("sslmode=verify-full {others}"),
            "certificate verify failed",
        ),
        (
            right,
            &format!("sslmode=verify-ca {others}"),
            "certificate verify failed",
        ),
        (
            right,
            &format!("host=example.com sslmode=verify-full {ours}"),
            "does not match host name",
        ),
        (
            right,
            "sslmode=disable",
            "this server is reached by TLS only",
        ),
        (
            Some("open, sesame"),
            "sslmode=require",
            "Password authentication failed",
        ),
        (
            Some("open sesame"),
            "sslmode=require user=ben",
            "Password authentication failed",
        ),
        (None, "sslmode=require", "no password supplied"),
    ] {
        let (out, err) = gateway.ask(password, connection).await?;
        ensure!(
            out.is_empty() && err.contains(complaint),
            "{connection}: {out}{err}"
        );
    }
    Ok(())
}
