//! Descriptions with something wrong in them.

use arbitrary::{Result, Unstructured};
use ciborium::Value;

/// Puts something unexpected in one place of a description.
pub(crate) fn spoil(description: &mut Value, bytes: &mut Unstructured) -> Result<()> {
    match description {
        Value::Map(fields) if !fields.is_empty() && bytes.ratio(9, 10)? => {
            let at = bytes.choose_index(fields.len())?;
            match bytes.int_in_range(0..=9)? {
                0 => drop(fields.remove(at)),
                1 => fields.push((Value::Text("unknown".to_owned()), odd(bytes)?)),
                2 => fields[at].0 = odd(bytes)?,
                _ => spoil(&mut fields[at].1, bytes)?,
            }
        }
        Value::Array(items) if !items.is_empty() && bytes.ratio(9, 10)? => {
            let at = bytes.choose_index(items.len())?;
            match bytes.int_in_range(0..=9)? {
                0 => drop(items.remove(at)),
                1 => items.extend(vec![items[at].clone(); bytes.int_in_range(1..=70)?]),
                _ => spoil(&mut items[at], bytes)?,
            }
        }
        other => *other = odd(bytes)?,
    }
    Ok(())
}

/// A value that few expect.
fn odd(bytes: &mut Unstructured) -> Result<Value> {
    let numbers = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        0.0,
        0.5,
        1.0,
        -1.0,
        1e-300,
        5e-324,
        1e38,
        1e39,
        f64::MAX,
        f64::MIN,
    ];
    Ok(match bytes.int_in_range(0..=9)? {
        0..=2 => Value::Float(*bytes.choose(&numbers)?),
        3 => Value::Float(bytes.arbitrary()?),
        4 => Value::Integer(bytes.choose(&[i64::MIN, -100, -1, 0, 1, 2, 255, 65_536, i64::MAX])?.to_owned().into()),
        5 => Value::Bool(bytes.arbitrary()?),
        6 => Value::Text(bytes.choose(&["", "mean", "none", "sum", "batch", "softmax", "sigmoid", "all"])?.to_string()),
        7 => Value::Array(vec![Value::Float(*bytes.choose(&numbers)?); bytes.int_in_range(0..=5)?]),
        8 => Value::Map(vec![]),
        _ => Value::Null,
    })
}
