//! Top-level domains that make a dotted word a host name.

/// What a last label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A top-level domain, or a private one in wide use.
    Sure,
    /// A top-level domain that is also the ending of files (`.sh`, `.zip`).
    AlsoFile,
    Unknown,
}

/// Generic and special-use names (RFC 2606, RFC 6761, RFC 8375, and what networks use inside).
const GENERIC: &[&str] = &[
    "com",
    "org",
    "net",
    "edu",
    "gov",
    "mil",
    "int",
    "info",
    "biz",
    "name",
    "arpa",
    "dev",
    "cloud",
    "online",
    "site",
    "xyz",
    "top",
    "club",
    "shop",
    "store",
    "tech",
    "blog",
    "wiki",
    "page",
    "live",
    "news",
    "agency",
    "email",
    "network",
    "systems",
    "space",
    "website",
    "world",
    "today",
    "digital",
    "solutions",
    "services",
    "support",
    "games",
    "aero",
    "museum",
    "jobs",
    "travel",
    "mobi",
    "onion",
    "test",
    "example",
    "invalid",
    "localhost",
    "local",
    "localdomain",
    "lan",
    "home",
    "internal",
    "intranet",
    "corp",
    "private",
    "bank",
    "finance",
    "health",
    "media",
    "social",
    "software",
    "security",
    "zone",
    "icu",
    "click",
    "link",
    "buzz",
];
/// Two-letter names that are not a file's ending too.
const COUNTRIES: &str = "ac ad ae af ag ai al am ao aq ar at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca \
    cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gi \
    gl gm gn gp gq gr gs gt gu gw gy hk hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky la lb lc \
    li lk lr ls lt lu lv ly ma mc me mg mh mn mo mp mq mr mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf ph pk \
    pm pn pr pt pw qa re ro ru rw sa sb sc sd se sg si sk sl sm sn sr ss st su sv sx sy sz tc td tg th tj tk tl tm tn to tr tt tv tw \
    tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw";
const FILES: &[&str] =
    &["sh", "py", "rs", "md", "pl", "so", "ps", "cc", "zip", "mov", "app", "as", "ml", "hm", "gh", "mk", "mm", "tf"];

/// What the last label of a name says, lower case.
pub(super) fn kind(label: &str) -> Kind {
    if FILES.contains(&label) {
        return Kind::AlsoFile;
    }
    let punycode = label.starts_with("xn--") && label.len() > 4;
    let sure =
        GENERIC.contains(&label) || punycode || COUNTRIES.split_ascii_whitespace().any(|country| country == label);
    if sure { Kind::Sure } else { Kind::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_from_hosts() {
        assert_eq!(kind("org"), Kind::Sure);
        assert_eq!(kind("de"), Kind::Sure);
        assert_eq!(kind("sh"), Kind::AlsoFile);
        for label in ["exe", "html", "onnx", "pcap", "txt", "log", "json", "g", "m", "conf", "dll"] {
            assert_eq!(kind(label), Kind::Unknown, "{label}");
        }
    }
}
