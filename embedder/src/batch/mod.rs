//! The offline job: inputs in, Parquet with vectors out.
