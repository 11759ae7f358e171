//! What the composers have in common: one composition for each line of the standard input, as benchmarks/composers.py asks.
use std::{env, fs, io, time::Instant};

#[derive(serde::Deserialize)]
pub struct Subgraph {
    pub name: String,
    pub url: String,
    pub sdl: String,
}

/// Arguments of the program: the file of the subgraphs, and the one that the supergraph is written to.
/// Prints the seconds of each composition, from the subgraphs' text to the supergraph's.
pub fn compose_by_line(compose: impl Fn(&[Subgraph]) -> Result<String, String>) {
    let files: Vec<String> = env::args().skip(1).collect();
    let text = fs::read_to_string(&files[0]).expect("a file of subgraphs");
    let subgraphs: Vec<Subgraph> = serde_json::from_str(&text).expect("a list of subgraphs");
    for _ in io::stdin().lines() {
        let began = Instant::now();
        let supergraph = compose(&subgraphs).unwrap_or_else(|error| panic!("{error}"));
        let seconds = began.elapsed().as_secs_f64();
        fs::write(&files[1], supergraph).expect("a place to write to");
        println!("{seconds}");
    }
}
