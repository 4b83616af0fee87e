//! The text of shaders without comments and indentation: a browser would download them with every page. Lines stay
//! where they are, so that a driver's message names a line of the file.

/// A shader of the folder `shaders`.
macro_rules! shader {
    ($file:literal) => {{
        const TEXT: &[u8] = include_bytes!(concat!("../../shaders/", $file));
        const LEN: usize = $crate::webgpu::shader_text::strip::<0>(TEXT).1;
        const STRIPPED: [u8; LEN] = $crate::webgpu::shader_text::strip(TEXT).0;
        const SHADER: &str = match core::str::from_utf8(&STRIPPED) {
            Ok(text) => text,
            Err(_) => panic!("shaders are text"),
        };
        SHADER
    }};
}
pub(super) use shader;

/// The first N bytes of what is left of a text, and how many there are. WGSL has no literals in which `//` could be
/// anything but the beginning of a comment.
pub(super) const fn strip<const N: usize>(text: &[u8]) -> ([u8; N], usize) {
    let (mut stripped, mut len) = ([0; N], 0);
    let (mut i, mut is_indentation) = (0, true);
    while i < text.len() {
        if text[i] == b'/' && i + 1 < text.len() && text[i + 1] == b'/' {
            while i < text.len() && text[i] != b'\n' {
                i += 1;
            }
            continue;
        }
        is_indentation = text[i] == b'\n' || is_indentation && text[i] == b' ';
        if text[i] == b'\n' || !is_indentation {
            if len < N {
                stripped[len] = text[i];
            }
            len += 1;
        }
        i += 1;
    }
    (stripped, len)
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn comments_and_indentation_go_and_lines_stay() {
        let text =
            b"// A comment.\nfn f() {\n    // Another.\n    return a / b; // One more.\n}\n// The last";
        let (stripped, len) = strip::<80>(text);
        assert_eq!(core::str::from_utf8(&stripped[..len]), Ok("\nfn f() {\n\nreturn a / b; \n}\n"));
        assert_eq!(strip::<0>(text).1, len);
    }
}
