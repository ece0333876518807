//! Places in long work at which it can be given up.

use std::{cell::RefCell, rc::Rc};

type Check = Option<Rc<dyn Fn()>>;

thread_local! {
    static CHECK: RefCell<Check> = const { RefCell::new(None) };
}

/// Does `work`, and calls `check` at each [`checkpoint`] in it, on this thread. A thread cannot be stopped from outside: work that
/// takes too long ends because `check` unwinds ([`std::panic::resume_unwind`]).
pub fn with_checkpoints<T>(check: impl Fn() + 'static, work: impl FnOnce() -> T) -> T {
    let _restore = Restore(CHECK.replace(Some(Rc::new(check))));
    work()
}

/// To be called at least every second by work whose time depends on what is on a page. It takes some nanoseconds.
pub fn checkpoint() {
    let check = CHECK.with_borrow(Check::clone);
    if let Some(check) = check {
        check();
    }
}

/// Sets the check of before, also where the work unwinds.
struct Restore(Check);

impl Drop for Restore {
    fn drop(&mut self) {
        CHECK.set(self.0.take());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    };

    use super::*;

    #[test]
    fn check_is_called_within_its_work_alone_and_can_end_it() {
        let n = Rc::new(Cell::new(0));
        let counted = Rc::clone(&n);
        checkpoint();
        with_checkpoints(
            move || counted.set(counted.get() + 1),
            || {
                checkpoint();
                let given_up = catch_unwind(AssertUnwindSafe(|| {
                    with_checkpoints(|| resume_unwind(Box::new("enough")), || (0..1000).for_each(|_| checkpoint()))
                }));
                assert!(given_up.is_err_and(|with| with.is::<&str>()));
                checkpoint();
            },
        );
        checkpoint();
        assert_eq!(n.get(), 2, "the check of before is back after the work has ended");
    }
}
