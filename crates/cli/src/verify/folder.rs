//! Checks a site on disk.

use std::fs::File;
use std::path::PathBuf;

use super::{Findings, selected_builds};
use crate::deploy::files_of;
use crate::hash::Fingerprint;
use crate::site::Site;

pub fn verify(site: &Site) -> Findings {
    let mut findings = Findings::default();
    let release = match site.live() {
        Ok(Some(release)) => release,
        Ok(None) => {
            let place = site.pointer().display().to_string();
            let text = format!("there is no {place}, so nothing is published here");
            findings.fault("release-missing", place, text);
            return findings;
        }
        Err(error) => {
            findings.fault(
                "release-invalid",
                site.pointer().display().to_string(),
                error.to_string(),
            );
            return findings;
        }
    };
    for (nth, build) in selected_builds(&release).enumerate() {
        let Some(manifest) = &build.manifest else {
            findings.no_manifest(&site.pointer().display().to_string(), build);
            continue;
        };
        let place = site.guard().join(manifest);
        let shown = place.display().to_string();
        let Ok(bytes) = std::fs::read(&place) else {
            let text = format!("the manifest of build {} is not at {shown}", build.id.0);
            findings.fault("manifest-missing", shown, text);
            continue;
        };
        let Some(manifest) =
            findings.manifest(&build.id.0, build.integrity.as_deref(), &shown, &bytes)
        else {
            continue;
        };
        // `serve` uses the folder of the build, a static host the files of the site. Only the live build is complete in
        // both.
        let own = site.files(&build.id.0);
        let mut folders: Vec<PathBuf> = own.is_dir().then_some(own).into_iter().collect();
        if nth == 0 {
            folders.push(site.root().to_path_buf());
        }
        for folder in folders {
            for (path, print) in files_of(&manifest) {
                let file = folder.join(&path);
                findings.files += 1;
                let found = File::open(&file)
                    .ok()
                    .filter(|open| open.metadata().is_ok_and(|meta| meta.is_file()));
                let shown = file.display().to_string();
                match found {
                    None => {
                        let text = format!("{shown} is missing");
                        findings.fault("missing", shown, text);
                    }
                    Some(mut open) => match Fingerprint::like(&print.integrity, &mut open) {
                        Ok(measured) => {
                            findings.compare(&shown, &measured, &print.integrity, print.size)
                        }
                        Err(error) => {
                            let text = format!("{shown} cannot be read: {error}");
                            findings.fault("unreachable", shown, text);
                        }
                    },
                }
            }
        }
    }
    findings.release = Some(release);
    findings
}
