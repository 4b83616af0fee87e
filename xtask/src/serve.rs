//! A small server for the built page, on this machine only.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use axum::Router;
use axum::http::{HeaderName, HeaderValue};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// A page that is being served.
pub(crate) struct Page {
    listener: TcpListener,
    address: SocketAddr,
    folder: PathBuf,
    headers: Vec<(&'static str, &'static str)>,
}

/// What every answer tells the browser.
const HEADERS: [(&str, &str); 2] = [("cache-control", "no-cache"), ("x-content-type-options", "nosniff")];

/// What a page must be served with to share memory between its threads.
const ISOLATION: [(&str, &str); 2] =
    [("cross-origin-opener-policy", "same-origin"), ("cross-origin-embedder-policy", "require-corp")];

impl Page {
    /// Takes a port of 127.0.0.1; fails when it is in use.
    pub(crate) fn bind(folder: &Path, port: u16) -> Result<Self> {
        ensure!(folder.is_dir(), "{} is missing", folder.display());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .map_err(|error| anyhow!("port {port} cannot be used: {error}"))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, folder: folder.to_owned(), headers: HEADERS.into() })
    }

    /// Takes the first free port from `port` on.
    pub(crate) fn bind_from(folder: &Path, port: u16) -> Result<Self> {
        let ports = port..=port.saturating_add(100);
        ports.map(|port| Self::bind(folder, port)).find_map(Result::ok).with_context(|| {
            format!("no port from {port} upwards is free on 127.0.0.1: choose another with --port")
        })
    }

    /// Lets the page share memory between its threads.
    pub(crate) fn cross_origin_isolated(mut self) -> Self {
        self.headers.extend(ISOLATION);
        self
    }

    /// Where a browser finds the page.
    pub(crate) fn address(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Answers requests for ever.
    pub(crate) fn serve(self) -> Result<()> {
        let Self { listener, folder, headers, .. } = self;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            Ok(axum::serve(listener, router(&folder, &headers)).await?)
        })
    }
}

/// The folder's files. Packed data stays packed: the page unpacks it itself.
fn router(folder: &Path, headers: &[(&'static str, &'static str)]) -> Router {
    headers.iter().fold(Router::new().fallback_service(ServeDir::new(folder)), |router, (name, value)| {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        router.layer(SetResponseHeaderLayer::overriding(name, value))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::sync::Barrier;
    use std::thread;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;

    /// A folder with a secret beside the page's own folder.
    fn folder() -> TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("page/data")).expect("a folder");
        for (name, contents) in [
            ("secret", "secret"),
            ("page/index.html", "<h1>"),
            ("page/a.wasm", "\0asm"),
            ("page/data/d.gz", "gz"),
        ] {
            fs::write(folder.path().join(name), contents).expect("a file");
        }
        folder
    }

    /// What the server says to one line of request, byte by byte as sent.
    fn ask(request: &str) -> String {
        ask_page(request, |page| page)
    }

    fn ask_page(request: &str, change: impl FnOnce(Page) -> Page) -> String {
        let folder = folder();
        let page = change(Page::bind(&folder.path().join("page"), 0).expect("a free port"));
        let address = page.address();
        let host = address.trim_start_matches("http://").trim_end_matches('/').to_owned();
        // The thread lives as long as the test program.
        thread::spawn(move || page.serve());
        let mut stream = TcpStream::connect(&host).expect("a connection");
        write!(stream, "{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn files_come_whole_with_type_and_length() {
        let answer = ask("GET /a.wasm?version=1");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("content-type: application/wasm\r\n"), "{answer}");
        assert!(answer.contains("content-length: 4\r\n"), "{answer}");
        assert!(answer.contains("cache-control: no-cache\r\n"), "{answer}");
        assert!(answer.ends_with("\0asm"), "{answer}");
    }

    #[test]
    fn only_an_isolated_page_may_share_memory() {
        let isolated = ask_page("GET /a.wasm", Page::cross_origin_isolated);
        for (name, value) in ISOLATION {
            let header = format!("{name}: {value}\r\n");
            assert!(isolated.contains(&header), "{isolated}");
            assert!(!ask("GET /a.wasm").contains(&header));
        }
    }

    #[test]
    fn a_folder_is_its_index() {
        assert!(ask("GET /").ends_with("<h1>"));
        assert!(ask("GET /data/").starts_with("HTTP/1.1 404"));
    }

    #[test]
    fn packed_data_stays_packed() {
        let answer = ask("GET /data/d.gz");
        assert!(answer.contains("content-type: application/gzip\r\n"), "{answer}");
        assert!(!answer.contains("content-encoding"), "{answer}");
    }

    #[test]
    fn head_tells_the_length_without_the_bytes() {
        let answer = ask("HEAD /index.html");
        assert!(answer.contains("content-length: 4\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    }

    #[test]
    fn other_methods_are_refused() {
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = ask(&format!("{method} /"));
            assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
        }
    }

    #[test]
    fn nothing_outside_the_folder_is_served() {
        for path in [
            "/../secret",
            "/data/../../secret",
            "/data/..",
            "/%2e%2e/secret",
            "/..%2fsecret",
            "/..\\secret",
            "//etc/passwd",
            "/C:/secret",
            "/./../secret",
            "secret",
        ] {
            let answer = ask(&format!("GET {path}"));
            assert!(!answer.contains("200 OK") && !answer.ends_with("secret"), "{path}: {answer}");
        }
    }

    /// A browser keeps its connections open, and asks on all of them at once.
    #[test]
    fn no_connection_waits_for_another_one() {
        const CONNECTIONS: usize = 12;
        for _ in 0..50 {
            let folder = folder();
            let page = Page::bind(&folder.path().join("page"), 0).expect("a free port");
            let address = page.address;
            thread::spawn(move || page.serve());
            let all_are_answered = Barrier::new(CONNECTIONS);
            let ask = || {
                let mut stream = TcpStream::connect(address).expect("a connection");
                stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a limit");
                write!(stream, "GET /a.wasm HTTP/1.1\r\nHost: {address}\r\n\r\n").expect("sent");
                let mut start = [0; 12];
                let answer = stream.read_exact(&mut start);
                all_are_answered.wait();
                answer.expect("an answer");
                assert_eq!(&start, b"HTTP/1.1 200");
            };
            thread::scope(|scope| {
                for _ in 0..CONNECTIONS {
                    scope.spawn(ask);
                }
            });
        }
    }

    #[test]
    fn the_next_port_is_taken_when_one_is_in_use() {
        let folder = folder();
        let first = Page::bind(folder.path(), 0).expect("a free port");
        let port = first.address.port();
        assert!(Page::bind(folder.path(), port).is_err());
        let second = Page::bind_from(folder.path(), port).expect("a later port");
        assert_ne!(first.address(), second.address());
    }
}
