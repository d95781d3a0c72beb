//! Promotions on the wire.

use holdfast_engine::promo::PromoCode;

use super::check::Check;
use crate::problem::Problem;

/// The code that a text means, where there is one; a fault where it can be none.
pub fn check_code(pointer: &str, text: Option<&str>, check: &mut Check) -> Option<PromoCode> {
    match text.map(PromoCode::new)? {
        Ok(code) => Some(code),
        Err(error) => {
            check.fault(pointer, "promo.code_invalid", error.to_string());
            None
        }
    }
}

/// The code of a query.
pub fn asked_code(text: Option<&str>) -> Result<Option<PromoCode>, Problem> {
    let mut check = Check::new();
    let code = check_code("?promo_code", text, &mut check);
    check.finish()?;
    Ok(code)
}
