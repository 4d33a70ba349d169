//! The golden decisions, built of the product's own types.

use zastava::contract::{AdmissionDecision, Decided, ImageDecision, Verdict};

use super::{HELPER, LIBSSL, MANIFEST, s, some};

/// Every golden decision by its name.
pub(super) fn all() -> Vec<(&'static str, AdmissionDecision)> {
    vec![
        ("decision-allow-1.0", allow()),
        ("decision-deny-1.0", deny()),
        ("decision-unknown-1.0", unknown()),
        ("decision-no-images-1.0", no_images()),
    ]
}

fn allow() -> AdmissionDecision {
    AdmissionDecision {
        admission_id: s("705ab4f5-6393-11e8-b7cc-42010a800002"),
        namespace: s("payments"),
        images: vec![passed("ghcr.io/acme/api:1.2.3", "ghcr.io/acme/api")],
        ..no_images()
    }
}

fn deny() -> AdmissionDecision {
    AdmissionDecision {
        admission_id: s("705ab4f5-6393-11e8-b7cc-42010a800003"),
        namespace: s("prod"),
        pod_spec_digest: format!("sha256:{LIBSSL}"),
        images: vec![
            ImageDecision {
                name: s("nginx"),
                resolved: Some(format!("nginx@{MANIFEST}")),
                signed: Some(false),
                has_sbom_referrers: Some(false),
                policy_verdict: Some(Verdict::Fail),
                reasons: vec![s("unsigned"), s("missing SBOM")],
            },
            ImageDecision {
                name: s("ghcr.io/acme/api:1.2.3"),
                resolved: None,
                signed: Some(true),
                has_sbom_referrers: None,
                policy_verdict: Some(Verdict::Warn),
                reasons: vec![s("base image is “old”")],
            },
            passed(&format!("ghcr.io/acme/init@{MANIFEST}"), "ghcr.io/acme/init"),
        ],
        decision: Decided::Deny,
        ttl_seconds: 0,
    }
}

fn unknown() -> AdmissionDecision {
    AdmissionDecision {
        admission_id: s("705ab4f5-6393-11e8-b7cc-42010a800004"),
        namespace: s("dev"),
        images: vec![ImageDecision {
            name: s("ghcr.io/acme/api:latest"),
            reasons: vec![s("unknown: registry unreachable"), s("unknown: backend timeout")],
            ..ImageDecision::default()
        }],
        ttl_seconds: u64::MAX,
        ..no_images()
    }
}

fn no_images() -> AdmissionDecision {
    AdmissionDecision {
        admission_id: s(""),
        namespace: s(""),
        pod_spec_digest: format!("sha256:{HELPER}"),
        images: vec![],
        decision: Decided::Allow,
        ttl_seconds: 300,
    }
}

fn passed(name: &str, repository: &str) -> ImageDecision {
    ImageDecision {
        name: s(name),
        resolved: some(&format!("{repository}@{MANIFEST}")),
        signed: Some(true),
        has_sbom_referrers: Some(true),
        policy_verdict: Some(Verdict::Pass),
        reasons: vec![],
    }
}
