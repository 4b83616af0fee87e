//! A small server for the built page, on this machine only.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use tiny_http::{Header, Method, Request, Response, Server, StatusCode};

/// Requests answered at the same time: a browser asks for about as many files at once.
const THREADS: usize = 6;

/// A page that is being served.
pub(crate) struct Page {
    server: Server,
    folder: PathBuf,
    headers: &'static [(&'static str, &'static str)],
}

/// What a page must be served with to share memory between its threads.
const ISOLATION: [(&str, &str); 2] =
    [("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Embedder-Policy", "require-corp")];

impl Page {
    /// Takes a port of 127.0.0.1; fails when it is in use.
    pub(crate) fn bind(folder: &Path, port: u16) -> Result<Self> {
        let folder = folder.canonicalize().with_context(|| format!("{} is missing", folder.display()))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let server = Server::http(address).map_err(|error| anyhow!("port {port} cannot be used: {error}"))?;
        Ok(Self { server, folder, headers: &[] })
    }

    /// Takes the first free port from `port` on.
    pub(crate) fn bind_from(folder: &Path, port: u16) -> Result<Self> {
        let ports = port..=port.saturating_add(100);
        ports.map(|port| Self::bind(folder, port)).find_map(Result::ok).with_context(|| {
            format!("no port from {port} on is free on 127.0.0.1: name one that is with --port")
        })
    }

    /// Lets the page share memory between its threads.
    pub(crate) fn cross_origin_isolated(self) -> Self {
        Self { headers: &ISOLATION, ..self }
    }

    /// Where a browser finds the page.
    pub(crate) fn address(&self) -> String {
        format!("http://{}/", self.server.server_addr())
    }

    /// Answers requests for ever.
    pub(crate) fn serve(&self) {
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| self.server.incoming_requests().for_each(|request| self.answer(request)));
            }
        });
    }

    /// Answers one request. A visitor who hangs up is no error of ours.
    fn answer(&self, request: Request) {
        let _hung_up = match request.method() {
            Method::Get | Method::Head => match open(&self.folder, request.url()) {
                Some((file, kind)) => {
                    let response = with_headers(Response::from_file(file), kind);
                    request.respond(add_headers(response, self.headers))
                }
                None => request.respond(message(404, "There is no such file.")),
            },
            _ => request.respond(message(405, "Only GET and HEAD are answered.")),
        };
    }
}

fn message(status: u16, text: &str) -> Response<io::Cursor<Vec<u8>>> {
    with_headers(Response::from_string(text), "text/plain; charset=utf-8")
        .with_status_code(StatusCode(status))
}

/// Adds the headers of every answer. The length is always told, so that a download can show its progress.
fn with_headers<R: io::Read>(response: Response<R>, kind: &str) -> Response<R> {
    let headers =
        [("Content-Type", kind), ("Cache-Control", "no-cache"), ("X-Content-Type-Options", "nosniff")];
    add_headers(response, &headers).with_chunked_threshold(usize::MAX)
}

fn add_headers<R: io::Read>(response: Response<R>, headers: &[(&str, &str)]) -> Response<R> {
    let headers = headers.iter().filter_map(|(name, value)| Header::from_bytes(*name, *value).ok());
    headers.fold(response, Response::with_header)
}

/// The file that a request names, with its type; none when it is missing or outside the folder.
fn open(folder: &Path, url: &str) -> Option<(File, &'static str)> {
    let mut path = folder.join(relative(url)?);
    if path.is_dir() {
        path.push("index.html");
    }
    // Links are followed here: what they lead to must be inside as well.
    let path = path.canonicalize().ok().filter(|path| path.starts_with(folder) && path.is_file())?;
    Some((File::open(&path).ok()?, content_type(&path)))
}

/// The path of an address, if it is made of plain names only. Nothing is decoded, so that an escaped `..`
/// is a name like any other, and no file of the page has an escaped name.
fn relative(url: &str) -> Option<&Path> {
    let path = url.split(['?', '#']).next()?.strip_prefix('/')?;
    let plain = |part: Component| matches!(part, Component::Normal(_));
    let path = Path::new(path);
    let strange = path.to_str()?.contains(['\\', ':', '\0']);
    (!strange && path.components().all(plain)).then_some(path)
}

/// The MIME type, by the ending. Packed data stays packed: the page unpacks it itself.
fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|ending| ending.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        "gz" => "application/gzip",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::thread;

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
        assert!(answer.contains("Content-Type: application/wasm\r\n"), "{answer}");
        assert!(answer.contains("Content-Length: 4\r\n"), "{answer}");
        assert!(answer.contains("Cache-Control: no-cache\r\n"), "{answer}");
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
        assert!(answer.contains("Content-Type: application/gzip\r\n"), "{answer}");
        assert!(!answer.contains("Content-Encoding"), "{answer}");
    }

    #[test]
    fn head_tells_the_length_without_the_bytes() {
        let answer = ask("HEAD /index.html");
        assert!(answer.contains("Content-Length: 4\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
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

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_folder_are_not_followed() {
        let folder = folder();
        let page = folder.path().join("page").canonicalize().expect("a folder");
        std::os::unix::fs::symlink(folder.path().join("secret"), page.join("link")).expect("a link");
        assert!(open(&page, "/link").is_none());
        assert!(open(&page, "/a.wasm").is_some());
    }

    #[test]
    fn the_next_port_is_taken_when_one_is_in_use() {
        let folder = folder();
        let first = Page::bind(folder.path(), 0).expect("a free port");
        let port = first.server.server_addr().to_ip().expect("an address").port();
        assert!(Page::bind(folder.path(), port).is_err());
        let second = Page::bind_from(folder.path(), port).expect("a later port");
        assert_ne!(first.address(), second.address());
    }
}
