//! Content codings: which ones a client accepts, and how bytes are encoded and decoded.

use std::io::{self, Read, Write};

use hyper::header::{ACCEPT_ENCODING, HeaderMap};

/// With it, the first request for a coding waits a tenth of a second for each megabyte of script.
const BROTLI_QUALITY: i32 = 7;
const BROTLI_WINDOW: i32 = 22;
const BROTLI_BUFFER: usize = 64 * 1024;
const ZSTD_LEVEL: i32 = 9;

/// A way to compress bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    Brotli,
    Zstd,
    Gzip,
}

/// The ones with the best compression first.
pub const CODINGS: [Coding; 3] = [Coding::Brotli, Coding::Zstd, Coding::Gzip];

impl Coding {
    /// As in `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// The ending of the name of a precompressed file.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
        }
    }

    pub fn encode(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Brotli => {
                let params = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: BROTLI_WINDOW,
                    size_hint: bytes.len(),
                    ..Default::default()
                };
                let mut out = Vec::new();
                brotli::BrotliCompress(&mut &*bytes, &mut out, &params)?;
                Ok(out)
            }
            Self::Zstd => zstd::bulk::compress(bytes, ZSTD_LEVEL),
            Self::Gzip => {
                let mut out =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                out.write_all(bytes)?;
                out.finish()
            }
        }
    }

    pub fn decoded<'a>(self, coded: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Brotli => Box::new(brotli::Decompressor::new(coded, BROTLI_BUFFER)),
            Self::Zstd => Box::new(zstd::Decoder::new(coded)?),
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(coded)),
        })
    }
}

/// The codings that a client prefers to plain bytes or accepts as well, the best first.
pub fn accepted(request: &HeaderMap) -> impl Iterator<Item = Coding> {
    let mut weights = [None; CODINGS.len()];
    let (mut plain, mut other) = (None, None);
    let offers = request
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    for offer in offers {
        let (name, weight) = weighted(offer);
        if name.eq_ignore_ascii_case("br") {
            weights[0] = weight;
        } else if name.eq_ignore_ascii_case("zstd") {
            weights[1] = weight;
        } else if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            weights[2] = weight;
        } else if name.eq_ignore_ascii_case("identity") {
            plain = weight;
        } else if name == "*" {
            other = weight;
        }
    }
    let weights = weights.map(|weight| weight.or(other).unwrap_or(0));
    let least = plain.unwrap_or(0).max(1);
    let mut order = [0, 1, 2];
    order.sort_by_key(|&nth| u16::MAX - weights[nth]);
    order
        .into_iter()
        .filter(move |&nth| weights[nth] >= least)
        .map(|nth| CODINGS[nth])
}

/// The name and the weight in thousandths. An offer with an invalid weight does not count.
fn weighted(offer: &str) -> (&str, Option<u16>) {
    let mut parts = offer.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case("q").then(|| {
            let weight: f32 = value.trim().parse().unwrap_or(0.0);
            // Always between 0 and 1000.
            (weight.clamp(0.0, 1.0) * 1000.0) as u16
        })
    });
    (name, Some(weight.unwrap_or(1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, text.parse().unwrap());
        accepted(&headers).map(Coding::name).collect()
    }

    #[test]
    fn weights_are_obeyed() {
        for (offer, wanted) in [
            ("gzip, deflate, br, zstd", vec!["br", "zstd", "gzip"]),
            ("gzip", vec!["gzip"]),
            ("GZIP , BR", vec!["br", "gzip"]),
            ("x-gzip", vec!["gzip"]),
            ("br;q=0", vec![]),
            ("br;q=0.000, gzip", vec!["gzip"]),
            ("br;q=0.5, gzip;q=0.8", vec!["gzip", "br"]),
            ("br ; q=0.5 , gzip;Q=0.8", vec!["gzip", "br"]),
            ("*", vec!["br", "zstd", "gzip"]),
            ("*;q=0.5, br;q=0", vec!["zstd", "gzip"]),
            ("*;q=0", vec![]),
            ("identity", vec![]),
            ("identity, br;q=0.9", vec![]),
            ("identity;q=0.5, gzip", vec!["gzip"]),
            ("identity;q=0, br", vec!["br"]),
            ("br;q=x, gzip", vec!["gzip"]),
            ("br;q=7", vec!["br"]),
            ("deflate", vec![]),
            ("", vec![]),
            (";;,,=", vec![]),
        ] {
            assert_eq!(of(offer), wanted, "{offer}");
        }
        assert_eq!(accepted(&HeaderMap::new()).count(), 0);
    }

    #[test]
    fn what_is_encoded_is_shorter_and_comes_back() {
        let text = "changeover ".repeat(500);
        for coding in CODINGS {
            let coded = coding.encode(text.as_bytes()).unwrap();
            assert!(coded.len() < text.len() / 10, "{coding:?}");
            let mut back = String::new();
            let mut decoded = coding.decoded(coded.as_slice()).unwrap();
            decoded.read_to_string(&mut back).unwrap();
            assert_eq!(back, text, "{coding:?}");
        }
    }
}
