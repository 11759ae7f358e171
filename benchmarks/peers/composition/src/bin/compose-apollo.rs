use apollo_federation::composition::{CompositionOptions, compose};
use apollo_federation::subgraph::typestate::Subgraph;

fn main() {
    composition_peers::compose_by_line(|given| {
        let parsed: Result<Vec<_>, _> = given.iter().map(|each| Subgraph::parse(&each.name, &each.url, &each.sdl)).collect();
        let subgraphs = parsed.map_err(|error| format!("{error:?}"))?;
        let supergraph = compose(subgraphs, CompositionOptions::default()).map_err(|failure| format!("{:?}", failure.errors))?;
        Ok(supergraph.schema().schema().to_string())
    });
}
