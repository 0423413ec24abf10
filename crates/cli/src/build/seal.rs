//! The last change before a build is written: its documents get the number of their release. What depends on their
//! bytes is updated: compressed copies, hashes of documents that other files list, and the manifest.

use std::collections::BTreeMap;
use std::io::Write;

use changeover::engine::manifest::Document;

use super::{Build, Content, Note, PRECOMPRESSED, Source, hashes, named, plain};
use crate::error::{At, Error, Result};
use crate::html::{Claim, HtmlDocument};

impl Build {
    /// Finishes the build. `sequence` is `None` if the documents were published before without a number.
    ///
    /// Errors: `hash-elsewhere` when a document must get another build and a file that cannot be updated lists its
    /// hash; unreadable files.
    pub fn seal(&mut self, sequence: Option<u64>) -> Result<()> {
        let mut stamped = BTreeMap::new();
        for (path, original) in &self.originals {
            let current = self.document(path);
            let bytes = HtmlDocument::parse(current).stamped(self.id(), sequence);
            if bytes != *original {
                stamped.insert(path.clone(), bytes);
            }
        }
        let followed = hashes::follow(self, &stamped)?;
        for (path, places) in &followed.untouchable {
            stamped.remove(path);
            let original = self.originals[path].clone();
            if let Claim::Build(claimed) = HtmlDocument::parse(&original).claim()
                && claimed != self.id()
            {
                return Err(Error::new(
                    "hash-elsewhere",
                    format!(
                        "{path} has to say that it is build {} instead of {claimed}, but {} lists the hash of the document \
                         as it is; build again",
                        self.id(),
                        named(places)
                    ),
                ));
            }
            self.files
                .insert(path.clone(), Content::in_memory(original));
        }
        self.notes.extend(followed.notes());
        for (path, bytes) in followed.rewritten {
            self.replace_asset(&path, bytes);
        }
        let mut unwritable = Vec::new();
        for (path, bytes) in stamped {
            for ending in PRECOMPRESSED {
                let copy = format!("{path}{ending}");
                if !self.files.contains_key(&copy) {
                    continue;
                }
                match compressed(&bytes, ending).at("compress", path.as_ref())? {
                    Some(bytes) => self.replace_asset(&copy, bytes),
                    None => {
                        self.files.remove(&copy);
                        self.manifest.chunks.remove(&copy);
                        unwritable.push(copy);
                    }
                }
            }
            self.files.insert(path, Content::in_memory(bytes));
        }
        if !unwritable.is_empty() {
            self.notes.push(Note {
                code: "twins-dropped",
                text: format!(
                    "compressed copies of documents hold them without the id of their build, and this tool cannot write \
                     their format; they are left out: {}",
                    named(&unwritable)
                ),
                files: unwritable.clone(),
            });
            self.left_out = unwritable;
        }
        self.describe_documents();
        Ok(())
    }

    pub(super) fn document(&self, path: &str) -> &[u8] {
        match self.files.get(path).map(|content| &content.source) {
            Some(Source::Memory(bytes)) => bytes,
            Some(Source::Disk(_)) | None => &[],
        }
    }

    fn replace_asset(&mut self, path: &str, bytes: Vec<u8>) {
        let content = Content::in_memory(bytes);
        let chunk = self
            .manifest
            .chunks
            .entry(path.to_owned())
            .or_insert_with(|| plain::chunk(path, &content.print));
        chunk.integrity.clone_from(&content.print.integrity);
        chunk.code.clone_from(&content.print.integrity);
        chunk.size = content.print.size;
        self.files.insert(path.to_owned(), content);
    }

    /// Updates the manifest. Its bytes stay as they are when nothing in it changes.
    fn describe_documents(&mut self) {
        let before = self.manifest.clone();
        for path in self.originals.keys() {
            let print = &self.files[path].print;
            let document = Document {
                integrity: print.integrity.clone(),
                size: print.size,
            };
            self.manifest.documents.insert(path.clone(), document);
        }
        if self.manifest != before || self.manifest_bytes.is_empty() {
            self.write_manifest();
        }
    }
}

/// `None` for a format that this tool cannot write.
fn compressed(bytes: &[u8], ending: &str) -> std::io::Result<Option<Vec<u8>>> {
    match ending {
        ".gz" => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes)?;
            encoder.finish().map(Some)
        }
        ".br" => {
            let mut out = Vec::new();
            // The quality and window that static hosts precompress with.
            let mut encoder = brotli::CompressorWriter::new(&mut out, 4096, 11, 22);
            encoder.write_all(bytes)?;
            drop(encoder);
            Ok(Some(out))
        }
        _ => Ok(None),
    }
}
