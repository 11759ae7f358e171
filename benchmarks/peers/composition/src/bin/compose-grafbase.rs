use graphql_composition::{Subgraphs, compose, render_federated_sdl};

fn main() {
    composition_peers::compose_by_line(|given| {
        let mut subgraphs = Subgraphs::default();
        for each in given {
            subgraphs.ingest_str(&each.sdl, &each.name, Some(&each.url)).map_err(|error| format!("{error:#}"))?;
        }
        let composed = compose(&mut subgraphs).into_result();
        let graph = composed.map_err(|found| found.iter_messages().collect::<Vec<_>>().join("\n"))?;
        render_federated_sdl(&graph).map_err(|error| error.to_string())
    });
}
