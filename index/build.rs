//! Compiles the shim over FAISS, where FAISS is wanted.

fn main() {
    println!("cargo:rerun-if-changed=shim/faiss_shim.cpp");
    #[cfg(feature = "faiss")]
    compile_shim();
}

#[cfg(feature = "faiss")]
fn compile_shim() {
    let Some(faiss) = std::env::var_os("DEP_FAISS_C_ROOT") else {
        panic!("faiss-sys did not say where it installed FAISS (DEP_FAISS_C_ROOT); its feature `static` must be on");
    };
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .flag("-fopenmp")
        .warnings(true)
        .file("shim/faiss_shim.cpp")
        .opt_level(3)
        // As system headers: their warnings are not ours.
        .flag("-isystem")
        .flag(std::path::Path::new(&faiss).join("include"))
        .compile("forebay_faiss_shim");
}
