// What the front end in Relay asks. relay-compiler reads this and writes a module for each document into build/; in an app
// babel-plugin-relay puts those in the documents' places, here relay_client.mjs imports them by name.
import { graphql } from "relay-runtime";

export const documents = () => [
  graphql`
    query diaryQuery($date: LocalDate!) {
      me {
        ...diary_workouts
      }
      dailySummary(date: $date) {
        ...diary_day
      }
    }
  `,
  graphql`
    subscription diaryDayChangedSubscription($date: LocalDate!) {
      dailySummaryChanged(date: $date) {
        ...diary_day
      }
    }
  `,
  graphql`
    fragment diary_day on DailySummary @refetchable(queryName: "diaryDayRefetchQuery") {
      id
      date
      workoutsCompleted
    }
  `,
  graphql`
    fragment diary_workouts on User
    @refetchable(queryName: "diaryWorkoutsPaginationQuery")
    @argumentDefinitions(count: { type: "Int", defaultValue: 3 }, cursor: { type: "String" }) {
      id
      workouts(first: $count, after: $cursor) @connection(key: "diary_workouts") {
        edges {
          node {
            id
            name
          }
        }
      }
    }
  `,
];
