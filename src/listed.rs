//! Enums that list their own variants.
//!
//! What is made from such an enum outside Rust, such as the types of the npm package, cannot miss a variant: the list and
//! the enum are written once, by [`listed!`].

/// An enum of plain variants, as [`listed!`] defines it.
pub trait Listed: Copy + 'static {
    /// In the order of their definition.
    const ALL: &'static [Self];
    /// The documentation of the enum, line by line.
    const ABOUT: &'static [&'static str];
    /// The same of each variant, in the order of `ALL`.
    const NOTES: &'static [&'static [&'static str]];
}

/// Defines an enum and its [`Listed`]. With `Variant => "code"` it has a `code()`, too.
macro_rules! listed {
    (
        $(#[$($about:tt)*])*
        $vis:vis enum $name:ident {
            $($(#[$($note:tt)*])* $variant:ident,)*
        }
    ) => {
        $(#[$($about)*])*
        $vis enum $name {
            $($(#[$($note)*])* $variant,)*
        }

        impl $crate::listed::Listed for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),*];
            const ABOUT: &'static [&'static str] = &[$($crate::listed::doc_line!($($about)*)),*];
            const NOTES: &'static [&'static [&'static str]] =
                &[$(&[$($crate::listed::doc_line!($($note)*)),*]),*];
        }
    };
    (
        $(#[$($about:tt)*])*
        $vis:vis enum $name:ident {
            $($(#[$($note:tt)*])* $variant:ident => $code:literal,)*
        }
    ) => {
        $crate::listed::listed! {
            $(#[$($about)*])*
            $vis enum $name {
                $($(#[$($note)*])* $variant,)*
            }
        }

        impl $name {
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }
        }
    };
}

/// The text of a `///` line, and nothing of any other attribute.
macro_rules! doc_line {
    (doc = $line:literal) => {
        $line
    };
    ($($other:tt)*) => {
        ""
    };
}

pub(crate) use {doc_line, listed};
