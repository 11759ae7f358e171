// The first thing a visitor sees beside the editor: what this graph is, who to be, what to try, and its types.
import { createElement as h, Fragment } from "./react.js";
import { isObjectType, useGraphiQL, useGraphiQLActions } from "./graphiql.js";
import { session } from "./session.js";
import { useStore } from "./store.js";

/** A plugin of GraphiQL. `open(sample)` puts a sample into the editor, `signIn(person)` acts as somebody. */
export function startPlugin(about, open, signIn) {
  return {
    title: "Start",
    icon: () =>
      h("svg", { viewBox: "0 0 24 24", width: 24, height: 24, fill: "none", stroke: "currentColor", strokeWidth: 1.7, "aria-hidden": true },
        h("path", { d: "M4 11.5 12 4l8 7.5M6.5 10v9.5h11V10M10 19.5v-5h4v5", strokeLinecap: "round", strokeLinejoin: "round" })),
    content: () => h(Start, { about, open, signIn }),
  };
}

function Start({ about, open, signIn }) {
  const schema = useGraphiQL((state) => state.schema);
  return h(
    "div",
    { className: "start-pane" },
    h("h2", null, about.title),
    h("p", null, about.description || schema?.description || "One API over the subgraphs behind this router."),
    about.signIn && h(People, { signIn: about.signIn, act: signIn }),
    about.samples.length > 0 && h(Samples, { samples: about.samples, open }),
    schema && h(Types, { schema }),
  );
}

function People({ signIn, act }) {
  const current = useStore(session);
  return h(
    Fragment,
    null,
    h("h3", null, "Be somebody"),
    h("div", { className: "cards" },
      signIn.people.map((person) => {
        const isCurrent = current?.name === person.name;
        return h("button", { key: person.name, type: "button", className: "card", "aria-pressed": isCurrent, onClick: () => act(isCurrent ? null : person) },
          h("strong", null, person.name), h("span", null, isCurrent ? "signed in; click to sign out" : person.note));
      })),
  );
}

function Samples({ samples, open }) {
  const features = [...new Set(samples.map((each) => each.feature))];
  return h(
    Fragment,
    null,
    h("h3", null, "Try"),
    features.map((feature) =>
      h("div", { key: feature, className: "feature" },
        h("h4", null, feature),
        h("ul", null,
          samples.filter((each) => each.feature === feature).map((sample) =>
            h("li", { key: sample.title },
              h("button", { type: "button", className: "link", onClick: () => open(sample) }, sample.title),
              sample.description && h("span", null, sample.description)))))),
  );
}

function Types({ schema }) {
  const roots = [["Query", schema.getQueryType()], ["Mutation", schema.getMutationType()], ["Subscription", schema.getSubscriptionType()]];
  const rootNames = new Set(roots.map(([, type]) => type?.name));
  const objects = Object.values(schema.getTypeMap()).filter(
    (type) => isObjectType(type) && type.description && !type.name.startsWith("__") && !rootNames.has(type.name) && !/(Payload|Connection|Edge)$/.test(type.name),
  );
  return h(
    Fragment,
    null,
    h("h3", null, "The schema"),
    roots.filter(([, type]) => type).map(([kind, type]) => h(RootType, { key: kind, kind, type })),
    objects.length > 0 && h("details", { className: "types" },
      h("summary", null, `Types (${objects.length})`),
      h("dl", null, objects.map((type) => h(Fragment, { key: type.name }, h("dt", null, type.name), h("dd", null, firstParagraph(type.description)))))),
  );
}

function RootType({ kind, type }) {
  const fields = Object.values(type.getFields());
  return h("details", { className: "types", open: kind === "Query" },
    h("summary", null, `${kind} (${fields.length})`),
    type.description && h("p", null, firstParagraph(type.description)),
    h("dl", null, fields.map((field) => h(Fragment, { key: field.name }, h("dt", null, h(FieldName, { field })), h("dd", null, firstParagraph(field.description ?? ""))))));
}

function FieldName({ field }) {
  const { setVisiblePlugin } = useGraphiQLActions();
  const show = () => setVisiblePlugin("Documentation Explorer");
  return h("button", { type: "button", className: "link", onClick: show, title: "Open the documentation" }, h("code", null, `${field.name}: ${field.type}`));
}

function firstParagraph(text) {
  return text.split("\n\n")[0];
}
