// One front end in Relay: its compiler's artifacts, its store and its network layer over fetch and graphql-ws.
//
//   node relay_client.mjs URL ACCESS_TOKEN REFRESH_TOKEN DATE
//
// It follows one day's numbers: what it tells as events are changes of the store, which the subscription fills. An answer
// has the day as a query brings it, the same day fetched again by its id through `node`, and the person's workouts, whose
// first page it loads at its start and all others only then. What it tells and is told: session.mjs.
import relay from "relay-runtime";
import dayFragment from "./relay/build/diary_day.graphql.js";
import workoutsFragment from "./relay/build/diary_workouts.graphql.js";
import diaryQuery from "./relay/build/diaryQuery.graphql.js";
import dayChanged from "./relay/build/diaryDayChangedSubscription.graphql.js";
import { Session, answerLines, isRefused, say, teller } from "./session.mjs";

const { Environment, Network, Observable, RecordSource, Store, fetchQuery, requestSubscription } = relay;
const { createOperationDescriptor, getPaginationMetadata, getRefetchMetadata, getSingularSelector } = relay;

const [url, accessToken, refreshToken, date] = process.argv.slice(2);
const session = new Session(url, accessToken, refreshToken);
const socket = session.socketClient();

const ask = async (request, variables) => {
  const body = { query: request.text, variables };
  const answer = await session.post(body);
  if (!isRefused(answer.errors ?? [])) return answer;
  await session.refresh();
  return session.post(body);
};
const listen = (request, variables) =>
  Observable.create((sink) =>
    socket.subscribe({ operationName: request.name, query: request.text, variables }, sink),
  );
const environment = new Environment({ network: Network.create(ask, listen), store: new Store(new RecordSource()) });

const read = (fragment, owner) => environment.lookup(getSingularSelector(fragment, owner)).data;
const load = async (query, variables) => {
  environment.retain(createOperationDescriptor(query, variables));
  return fetchQuery(environment, query, variables, { fetchPolicy: "network-only" }).toPromise();
};

// By `usePaginationFragment`'s own steps, for hooks need React: the next page's query gets the end of what the store has,
// and Relay's handler of connections puts what comes behind it.
const workouts = () => read(workoutsFragment, first.me).workouts;
const loadOtherPages = async () => {
  const { refetchableRequest } = getRefetchMetadata(workoutsFragment, "relay_client");
  const { connectionPathInFragmentData } = getPaginationMetadata(workoutsFragment, "relay_client");
  const { id } = read(workoutsFragment, first.me);
  const page = () => read(workoutsFragment, first.me)[connectionPathInFragmentData[0]].pageInfo;
  while (page().hasNextPage) await load(refetchableRequest, { id, count: 3, cursor: page().endCursor });
};

const first = await load(diaryQuery, { date });
const ofDay = getSingularSelector(dayFragment, first.dailySummary);
environment.subscribe(environment.lookup(ofDay), ({ data }) => say({ event: data }));
requestSubscription(environment, {
  subscription: dayChanged,
  variables: { date },
  onError: teller.error,
  onCompleted: teller.complete,
});

await answerLines(async () => {
  const again = await load(getRefetchMetadata(dayFragment, "relay_client").refetchableRequest, { id: ofDay.dataID });
  const dailySummary = read(dayFragment, again.node);
  await loadOtherPages();
  return { dailySummary, workouts: workouts().edges.map(({ node }) => node.name) };
});
