//! One network in the runtime: one session, one thread, its signature checked against the manifest.

use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, TensorElementType};

use crate::limits::LENGTH_TOLERANCE;
use crate::manifest::{Dim, Port, form};
use crate::{EmbedError, Model, runtime};

/// Which network of a model to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// The manifest's default.
    #[default]
    Auto,
    /// 32-bit floats.
    Fp32,
    /// 8-bit integers: about twice the speed, a little coarser.
    Int8,
}

impl Precision {
    /// The key in the manifest's `files` that this stands for.
    pub fn resolve(self, model: &Model) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Auto if model.manifest().default == "int8" => "int8",
            Self::Fp32 | Self::Auto => "fp32",
        }
    }
}

impl std::str::FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "fp32" => Ok(Self::Fp32),
            "int8" => Ok(Self::Int8),
            other => Err(format!("{other:?} is not a precision; use auto, fp32 or int8")),
        }
    }
}

/// A loaded network.
pub(crate) struct Network {
    session: Session,
    /// For messages.
    file: String,
    output: String,
    dimension: usize,
}

impl Network {
    /// Loads the network of `precision` and checks its inputs and output.
    pub(crate) fn load(model: &Model, precision: Precision) -> Result<Self, EmbedError> {
        let runtime = runtime::init(None)?;
        let (bytes, file) = model.network(precision.resolve(model))?;
        let session = build(&runtime, bytes)
            .map_err(|error| EmbedError::Run { file: file.clone(), reason: error.message().to_owned() })?;
        let manifest = model.manifest();
        check_signature(&session, &manifest.inputs, &manifest.output)
            .map_err(|reason| EmbedError::Signature { file: file.clone(), reason })?;
        Ok(Self { session, file, output: manifest.output.name.clone(), dimension: manifest.dimension })
    }

    pub(crate) fn dimension(&self) -> usize {
        self.dimension
    }

    /// Runs once and appends `rows * dimension` floats to `out`, each row checked for unit length; nothing on an error.
    pub(crate) fn run<'i, const N: usize>(
        &mut self,
        inputs: [(&'static str, SessionInputValue<'i>); N],
        rows: usize,
        out: &mut Vec<f32>,
    ) -> Result<(), EmbedError> {
        let fail = |reason: String| EmbedError::Run { file: self.file.clone(), reason };
        let inputs: Vec<(std::borrow::Cow<'static, str>, SessionInputValue<'i>)> =
            inputs.into_iter().map(|(name, value)| (name.into(), value)).collect();
        let outputs = self.session.run(inputs).map_err(|error| fail(error.message().to_owned()))?;
        let value = outputs.get(&self.output).ok_or_else(|| fail(format!("no output {:?}", self.output)))?;
        let (shape, vectors) = value.try_extract_tensor::<f32>().map_err(|error| fail(error.message().to_owned()))?;
        if **shape != [rows as i64, self.dimension as i64] {
            let reason = format!("output has shape {shape:?}, expected [{rows}, {}]", self.dimension);
            return Err(EmbedError::Signature { file: self.file.clone(), reason });
        }
        for vector in vectors.chunks_exact(self.dimension) {
            let squared_length: f32 = squared_length(vector);
            let is_unit = (squared_length - 1.0).abs() <= LENGTH_TOLERANCE; // false for NaN
            if !is_unit {
                return Err(EmbedError::Length { file: self.file.clone(), squared_length });
            }
        }
        out.extend_from_slice(vectors);
        Ok(())
    }
}

/// Eight running sums let the compiler use vector registers without reordering floats behind our back.
fn squared_length(vector: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (chunks, rest) = vector.as_chunks::<8>();
    let rest: f32 = rest.iter().map(|x| x * x).sum();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x * x;
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// One intra-op and one inter-op thread, no spinning: threads come from more sessions, never from inside one, so that
/// pools do not fight over cores.
fn build(runtime: &runtime::Runtime, bytes: &[u8]) -> ort::Result<Session> {
    Session::builder(runtime.environment())?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_parallel_execution(false)?
        .with_intra_op_spinning(false)?
        .commit_from_memory(bytes)
}

fn check_signature(session: &Session, inputs: &[Port], output: &Port) -> Result<(), String> {
    for port in inputs {
        check_port("input", port, session.inputs())?;
    }
    if let Some(extra) = session.inputs().iter().find(|input| inputs.iter().all(|port| port.name != input.name())) {
        return Err(format!("the graph wants an input {:?} that the manifest does not list", extra.name()));
    }
    check_port("output", output, session.outputs())
}

fn check_port(what: &str, port: &Port, outlets: &[Outlet]) -> Result<(), String> {
    let Some(outlet) = outlets.iter().find(|outlet| outlet.name() == port.name) else {
        let names: Vec<&str> = outlets.iter().map(Outlet::name).collect();
        return Err(format!("the graph has no {what} {:?}; it has {}", port.name, names.join(", ")));
    };
    let (Some(kind), Some(shape)) = (outlet.dtype().tensor_type(), outlet.dtype().tensor_shape()) else {
        return Err(format!("{what} {} is not a tensor", port.name));
    };
    let wanted = if port.r#type == "f32" { TensorElementType::Float32 } else { TensorElementType::Int64 };
    let fits = kind == wanted && shape.len() == port.shape.len() && shape.iter().zip(&port.shape).all(fits);
    if fits {
        return Ok(());
    }
    let dims: Vec<String> =
        shape.iter().map(|&size| if size < 0 { "free".to_owned() } else { size.to_string() }).collect();
    Err(format!(
        "{what} {} is {kind:?} [{}] in the graph but {} in the manifest",
        port.name,
        dims.join(", "),
        form(port)
    ))
}

/// A fixed size must be that size, or left free by the graph (the trial run settles it); a free one must be free.
fn fits((&found, wanted): (&i64, &Dim)) -> bool {
    match wanted {
        Dim::Fixed(size) => found == *size || found < 0,
        Dim::Free(_) => found < 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squared_length_sums_every_place() {
        let vector: Vec<f32> = (1..=19).map(|x| x as f32).collect();
        assert_eq!(squared_length(&vector), 2470.0);
        assert!(squared_length(&[f32::NAN]).is_nan());
    }
}
