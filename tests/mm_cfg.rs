//! What is known of a site's settings after its `mm_cfg.py`.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests")]

use mm_query::mailman::defaults::defaults;
use mm_query::python::Python;
use mm_query::python::literal::{Function, Library, Literal, Setting, Settings, read};
use proptest::prelude::*;

fn two(source: &[u8]) -> Settings {
    read(source, Python::Two, &defaults(Python::Two))
}

/// The value of `A` at the end of a Python 2 file; None if it is not known.
fn value_of_a(source: &str) -> Option<Literal> {
    known(&two(format!("from Defaults import *\n{source}\n").as_bytes()), "A")
}

fn known(settings: &Settings, name: &str) -> Option<Literal> {
    match settings.get(name) {
        Setting::Known(literal, _) => Some(literal),
        _ => None,
    }
}

fn int(number: i64) -> Option<Literal> {
    Some(Literal::Int(number))
}

fn bytes(text: &[u8]) -> Option<Literal> {
    Some(Literal::Bytes(text.to_vec()))
}

fn text(text: &str) -> Option<Literal> {
    Some(Literal::Text(text.to_owned()))
}

fn list(items: &[&str]) -> Option<Literal> {
    let items = items.iter().map(|item| Literal::Bytes(item.as_bytes().to_vec()));
    Some(Literal::List(items.collect()))
}

#[test]
fn a_sites_file_is_followed() {
    let settings = two(include_bytes!("fixtures/mm_cfg/site.py"));
    assert_eq!(settings.error(), None);
    assert_eq!(settings.get("USE_ENVELOPE_SENDER"), Setting::Known(Literal::Bool(true), 9));
    assert_eq!(settings.get("SENDER_HEADERS"), {
        let headers = vec![Literal::Bytes(b"from".to_vec()), Literal::None];
        Setting::Known(Literal::Tuple(headers), 10)
    });
    assert_eq!(known(&settings, "LIST_DATA_DIR"), bytes(b"/srv/mailman/lists"));
    assert_eq!(known(&settings, "DEFAULT_URL_PATTERN"), bytes(b"https://%s/mailman/"));
    assert_eq!(known(&settings, "PENDING_REQUEST_LIFE"), int(7 * 86_400));
    assert_eq!(
        settings.get("GLOBAL_BAN_LIST"),
        Setting::Known(list(&["^.*@spam\\.example$"]).unwrap(), 20)
    );
    assert_eq!(settings.get("VIRTUAL_HOSTS"), Setting::Unknown { line: 16 });
    assert_eq!(settings.get("MTA"), Setting::Unknown { line: 23 });
    assert_eq!(settings.get("DEFAULT_SERVER_LANGUAGE"), Setting::Absent);
    let Some(Literal::List(pipeline)) = known(&settings, "GLOBAL_PIPELINE") else { panic!() };
    assert_eq!(pipeline.len(), 22);
    assert_eq!(pipeline[1], Literal::Bytes(b"SpamAssassin".to_vec()));
}

#[test]
fn strings_are_read_as_python_writes_them() {
    assert_eq!(value_of_a(r#"A = 'a' "b" '''c'''"#), bytes(b"abc"));
    assert_eq!(value_of_a(r"A = r'\x41' '\x41\101\n\q'"), bytes(b"\\x41AA\n\\q"));
    assert_eq!(value_of_a("A = 'a\\\nb'"), bytes(b"ab"));
    assert_eq!(value_of_a(r"A = u'\u00e9\x41' 'b'"), text("éAb"));
    assert_eq!(value_of_a(r"A = ur'\u00e9'"), None);
    assert_eq!(value_of_a(r"A = u'\N{DIGIT ONE}'"), None);
    assert_eq!(value_of_a(r"A = '\777'"), bytes(b"\xff"));
    let latin = two(b"# coding: latin-1\nA = '\xe9'\nB = u'\xe9'\n");
    assert_eq!((known(&latin, "A"), known(&latin, "B")), (bytes(b"\xe9"), text("é")));
    let three =
        read("A = 'é'; B = b'x'; C = f'y'".as_bytes(), Python::Three, &defaults(Python::Three));
    assert_eq!((known(&three, "A"), known(&three, "B")), (text("é"), bytes(b"x")));
    assert_eq!(three.get("C"), Setting::Unknown { line: 1 });
}

#[test]
fn numbers_and_names_have_their_values() {
    for (written, value) in [
        ("0777", 511),
        ("0xFFL", 255),
        ("0b11", 3),
        ("-5 % 3", 1),
        ("2 * (3 + 4)", 14),
        ("~0 & 6", 6),
    ] {
        assert_eq!(value_of_a(&format!("A = {written}")), int(value), "{written}");
    }
    assert_eq!(value_of_a("A = days(2) + hours(1)"), int(2 * 86_400 + 3_600));
    assert_eq!(value_of_a("A = not Yes"), Some(Literal::Bool(false)));
    assert_eq!(value_of_a("A = 1.5e2"), Some(Literal::Float(150.0)));
    for not_followed in [
        "2 ** 3",
        "7 / 2",
        "99999999999999999999",
        "1j",
        "1 if Yes else 2",
        "1 < 2",
        "Yes or 2",
        "days",
        "undefined",
        "9223372036854775807 + 1",
    ] {
        assert_eq!(value_of_a(&format!("A = {not_followed}")), None, "{not_followed}");
    }
}

#[test]
fn strings_are_formatted() {
    assert_eq!(value_of_a("A = '%s-%d%%' % ('x', 3)"), bytes(b"x-3%"));
    assert_eq!(value_of_a("A = '%(a)s/%(b)s' % {'a': u'x', 'b': None}"), text("x/None"));
    for wrong in [
        "'%s' % ()",
        "'%s' % (1, 2)",
        "'x' % 1",
        "'%5s' % 1",
        "'%s' % 1.5",
        "'%' % 1",
        "'%(a)s' % 1",
    ] {
        assert_eq!(value_of_a(&format!("A = {wrong}")), None, "{wrong}");
    }
}

#[test]
fn containers_are_shared_as_in_python() {
    assert_eq!(value_of_a("A = B = []\nB.append('x')\nB += ['y']"), list(&["x", "y"]));
    assert_eq!(value_of_a("B = []\nA = B[:]\nB.append('x')"), list(&[]));
    assert_eq!(value_of_a("A = ['x']\nB = A\nB = B + ['y']"), list(&["x"]));
    assert_eq!(
        value_of_a("A = ['b']\nA.insert(0, 'a'); A[-1] = 'c'; A.extend(('d',)); A.remove('a')"),
        list(&["c", "d"])
    );
    assert_eq!(value_of_a("A = []\nA.append(A)"), None);
    let dict = Literal::Dict(vec![
        (Literal::Int(1), Literal::Int(3)),
        (Literal::Bytes(b"a".to_vec()), Literal::None),
    ]);
    assert_eq!(value_of_a("A = {1: 2}\nA[True] = 3\nA['a'] = None"), Some(dict));
}

#[test]
fn what_may_have_changed_is_not_known() {
    for source in [
        "A = 1\nif Yes:\n  A = 2",
        "A = 1\nif Yes: A = 2",
        "A = 1\nfor A in []: pass",
        "A = 1\nB = [A for A in (1, 2)]",
        "A = 1\ntry:\n  import A\nexcept ImportError: pass",
        "A = 1\ntry: pass\nexcept Exception, A: pass",
        "A = 1\nwith open('x') as A: pass",
        "A = 1\ndef f():\n  global A\n  A = 2\nA = 3\nf()",
        "def f(): A.append(1)\nA = []\nf()",
        "A = []\nB = A\nfoo(B)",
        "A = []\nB = foo(A)\nB.append(1)",
        "A = []\nf = A.append\nf(1)",
        "f = lambda: A.append(1)\nA = []\nf()",
        "A = 1\ndel A",
        "A = 1\nfrom elsewhere import *",
        "A = 1\nexec 'A = 2'",
        "exec 'def f(): global A; A = 2'\nA = 1\nf()",
        "A = 1\nglobals()['A'] = 2",
        "def f(): globals()['A'] = 2\nA = 1\nf()",
        "A, B = foo()",
        "A = 1\nA /= 2",
        "exec 'x'\nTrue = 1\nf()\nA = True",
        "A = GLOBAL_BAN_LIST\nGLOBAL_BAN_LIST = []\nimport Defaults; Defaults.GLOBAL_BAN_LIST.append(1)",
        "A = 1\nif x: pass; A: int = 2",
        "A = 1\nf = lambda: (yield); A: int = 2",
        "VIRTUAL_HOSTS = A = []\nif x: add_virtualhost('a')\nVIRTUAL_HOSTS.append(1)",
        "A = []\nB = A\nKNOWN_SPAMMERS.append(A)\nfrom Defaults import *\nB.append(1)\nA = KNOWN_SPAMMERS",
        "import Defaults; Defaults.GLOBAL_BAN_LIST.append(1)\nA = GLOBAL_BAN_LIST",
    ] {
        assert_eq!(value_of_a(source), None, "{source}");
    }
}

#[test]
fn what_cannot_have_changed_stays_known() {
    for source in [
        "if A_IS_SET: B = 1\nA = 1",
        "A = 1\nif A == 2: B = foo(A)",
        "from elsewhere import *\nA = 1",
        "exec 'A = 2'\nA = 1",
        "def f():\n  A = 2\nA = 1\nf()",
        "A = 1\nadd_virtualhost('www.x', 'x')\nprint A",
        "A = 2; del A; A = 1",
    ] {
        assert_eq!(value_of_a(source), int(1), "{source}");
    }
}

#[test]
fn names_left_alone_are_absent_unless_anything_may_have_been_imported() {
    let settings =
        two(b"from Defaults import *\nA = GLOBAL_PIPELINE\nB = foo(USE_ENVELOPE_SENDER)\n");
    assert_eq!(settings.get("GLOBAL_PIPELINE"), Setting::Absent);
    assert_eq!(settings.get("USE_ENVELOPE_SENDER"), Setting::Absent);
    assert_eq!(settings.get("NEVER_SEEN"), Setting::Absent);
    let settings = two(b"from Defaults import *\nA = GLOBAL_PIPELINE\nA.append('x')\n");
    assert!(matches!(settings.get("GLOBAL_PIPELINE"), Setting::Known(_, 3)));
    let settings = two(b"from Defaults import *\nfrom local import *\n");
    assert_eq!(settings.get("NEVER_SEEN"), Setting::Unknown { line: 2 });
    let settings = two(b"with x: pass\nA.append(1)\nfrom Defaults import *\n");
    assert_eq!(settings.get("A"), Setting::Unknown { line: 3 });
    assert_eq!(settings.get("KNOWN_SPAMMERS"), Setting::Absent);
}

#[test]
fn a_file_that_python_refuses_tells_nothing() {
    for (source, line) in [
        (&b"A = 1\nB = 'open\n"[..], 2),
        (b"A = (1\n", 2),
        (b"A = 1]\n", 1),
        (b"A = 1 $\n", 1),
        (b"A = 1\n# \xe9\n", 2),
        (b"# coding: utf-8\nA = '\xe9'\n", 2),
        (b"# coding: utf-16\nA = 1\n", 1),
        (b"A = 1\n\0", 2),
        (b"A = 1\rB = 2\n", 1),
        (b"A = '''\n\n", 3),
        (b"A = 1 \\ \n", 1),
    ] {
        let settings = two(source);
        assert_eq!(settings.error().map(|error| error.line), Some(line), "{source:?}");
        assert_eq!(settings.get("A"), Setting::Unknown { line });
    }
    assert_eq!(two(b"").error(), None);
}

/// Each would take gigabytes, hours or the whole stack if it were followed without limits.
#[test]
fn hostile_files_are_bounded() {
    let nested = format!("A = {}{}", "(".repeat(100), ")".repeat(100));
    let too_nested = format!("A = {}{}", "[".repeat(101), "]".repeat(101));
    assert_eq!(two(nested.as_bytes()).error(), None);
    assert!(two(too_nested.as_bytes()).error().is_some());
    let repeated = |line: &str| line.repeat((1 << 18) / line.len());
    for source in [
        "A = 'a' * 10 ** 9".to_owned(),
        "A = 'a' * 1000000000".to_owned(),
        "A = [1]\n".to_owned() + &"A = A + A\n".repeat(100),
        "A = 'x'\n".to_owned() + &"A = A + A\n".repeat(100),
        "A = [1]\n".to_owned() + &"A = [A, A]\n".repeat(90),
        "A = ()\n".to_owned() + &"A = (A, A)\n".repeat(90) + "foo(A)",
        "A = ()\n".to_owned() + &repeated("A = (A,)\n"),
        "A = []\n".to_owned() + &repeated("A = [A]\n") + "foo(A)",
        "A = {".to_owned() + &(0..100_000).map(|i| format!("{i}:1,")).collect::<String>() + "}",
        "A = ".to_owned() + &repeated("- ") + "'x'",
        "A = ".to_owned() + &repeated("not ") + "foo",
        "A = x".to_owned() + &repeated("[0]"),
        "A = x".to_owned() + &repeated(" = x"),
        repeated("from Defaults import *\n"),
        repeated("exec x\n"),
        repeated("A = ['x' * 1000000]\n"),
        "A = (1,) * 100000\n".to_owned() + &repeated("foo(A)\n"),
        repeated("if x:\n \\\n  A = 1\n"),
    ] {
        let settings = two(source.as_bytes());
        assert_eq!(known(&settings, "A"), None, "{:.60}", source);
    }
    let joined = format!("A = ({})", "'x' ".repeat(50_000));
    assert_eq!(known(&two(joined.as_bytes()), "A"), bytes(&b"x".repeat(50_000)));
}

#[test]
fn another_library_is_possible() {
    let library = Library {
        modules: &["base"],
        values: vec![("X", Literal::Int(2))],
        functions: vec![("twice", Function::Multiply(2))],
    };
    let settings = read(b"from base import *\nA = twice(X)\n", Python::Three, &library);
    assert_eq!(known(&settings, "A"), int(4));
}

proptest! {
    #[test]
    fn any_bytes_are_read(source in proptest::collection::vec(any::<u8>(), 0..300)) {
        for python in [Python::Two, Python::Three] {
            let settings = read(&source, python, &defaults(python));
            let _ = settings.get("A");
        }
    }

    #[test]
    fn any_tokens_are_read(tokens in proptest::collection::vec(token(), 0..60)) {
        let source = format!("from Defaults import *\nA = [1]\n{}", tokens.concat());
        for python in [Python::Two, Python::Three] {
            let settings = read(source.as_bytes(), python, &defaults(python));
            for name in ["A", "B", "GLOBAL_PIPELINE", "True"] {
                let _ = settings.get(name);
            }
        }
    }
}

fn token() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "A",
        "B",
        "GLOBAL_PIPELINE",
        "True",
        "days",
        "1",
        "0x",
        "1.5",
        "'a'",
        "u'b'",
        "'%s'",
        "r\"\\\"",
        " = ",
        " += ",
        ".",
        ",",
        ":",
        ";",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "*",
        "%",
        "+",
        "-",
        "not ",
        "\n",
        "\n ",
        "\\\n",
        "#",
        "if ",
        "for ",
        " in ",
        "def ",
        "class ",
        "import ",
        "from ",
        "lambda ",
        "global ",
        "del ",
        "exec ",
        ".append(",
        ".insert(0,",
        "'''",
        "\t",
        "@",
        "`",
        ":=",
        "==",
        "\u{e9}",
    ])
}
