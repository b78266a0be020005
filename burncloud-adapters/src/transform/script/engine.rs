//! The one engine: what scripts can call, and how much of everything they get.

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage,
    BasicMathPackage, BasicStringPackage, BitFieldPackage, LanguageCorePackage, LogicPackage,
    MoreStringPackage, Package,
};
use rhai::{Dynamic, Engine, EvalAltResult, Position};
use std::cell::Cell;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Operations of one run.
const MAX_OPERATIONS: u64 = 500_000;
/// Wall time of one run. Operations are the tighter bound; this one is for those that take long.
const MAX_TIME: Duration = Duration::from_millis(100);
/// Bytes of all text in one value.
pub(super) const MAX_TEXT: usize = 16 << 20;
/// Elements of all arrays in one value, and members of all maps.
pub(super) const MAX_PARTS: usize = 200_000;
/// Values can nest as deep as a script has operations, and are dropped level by level.
const STACK: usize = 256 << 20;

/// What `refuse("text")` ends a script with. It cannot be caught.
#[derive(Clone, Debug)]
pub(super) struct Refusal(pub(super) String);

/// A text too long to be worked on: it can be moved and dropped.
#[derive(Clone, Debug)]
pub(super) struct LongText(pub(super) std::sync::Arc<str>);

pub(super) static ENGINE: LazyLock<Engine> = LazyLock::new(engine);

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

fn engine() -> Engine {
    let mut engine = Engine::new_raw();
    packages(&mut engine);
    engine
        .set_strict_variables(true)
        .set_max_operations(MAX_OPERATIONS)
        .set_max_call_levels(32)
        .set_max_expr_depths(64, 32)
        .set_max_variables(128)
        .set_max_functions(64)
        .set_max_string_size(MAX_TEXT)
        .set_max_array_size(MAX_PARTS)
        .set_max_map_size(MAX_PARTS)
        .on_print(|_| ())
        .on_debug(|_, _, _| ())
        .on_progress(|_| late().then_some(Dynamic::UNIT));
    for symbol in ["eval", "print", "debug", "import", "export"] {
        engine.disable_symbol(symbol);
    }
    // The package's own would hold up everybody else's requests.
    engine.register_fn("sleep", |_: i64| no_sleep()).register_fn("sleep", |_: f64| no_sleep());
    engine
        .register_type_with_name::<LongText>("long_text")
        .register_fn("len", |text: &mut LongText| i64::try_from(text.0.len()).unwrap_or(i64::MAX))
        .register_get("len", |text: &mut LongText| i64::try_from(text.0.len()).unwrap_or(i64::MAX))
        .register_fn("refuse", |text: &str| -> Result<(), Box<EvalAltResult>> {
            let text = text.chars().take(1000).collect();
            Err(EvalAltResult::ErrorTerminated(Dynamic::from(Refusal(text)), Position::NONE).into())
        });
    engine
}

fn no_sleep() -> Result<(), Box<EvalAltResult>> {
    Err("a script does not sleep".into())
}

fn packages(engine: &mut Engine) {
    engine
        .register_global_module(LanguageCorePackage::new().as_shared_module())
        .register_global_module(ArithmeticPackage::new().as_shared_module())
        .register_global_module(BitFieldPackage::new().as_shared_module())
        .register_global_module(LogicPackage::new().as_shared_module())
        .register_global_module(BasicMathPackage::new().as_shared_module())
        .register_global_module(BasicStringPackage::new().as_shared_module())
        .register_global_module(MoreStringPackage::new().as_shared_module())
        .register_global_module(BasicIteratorPackage::new().as_shared_module())
        .register_global_module(BasicFnPackage::new().as_shared_module())
        .register_global_module(BasicArrayPackage::new().as_shared_module())
        .register_global_module(BasicMapPackage::new().as_shared_module());
}

fn late() -> bool {
    DEADLINE.get().is_some_and(|deadline| Instant::now() >= deadline)
}

/// Runs what the clock is to stop.
pub(super) fn with_deadline<T>(run: impl FnOnce() -> T) -> T {
    let before = DEADLINE.replace(Some(Instant::now() + MAX_TIME));
    let result = run();
    DEADLINE.set(before);
    result
}

/// Runs on a stack on which whatever a script can build can be dropped again. Of it only what is used is ever touched.
pub(super) fn with_stack<T>(run: impl FnOnce() -> T) -> T {
    stacker::grow(STACK, run)
}
