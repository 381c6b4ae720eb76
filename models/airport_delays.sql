/*---
description: How late flights left each airport, one row per airport of departure. For the question which airports to avoid.
materialized: table
uniqueKey: airport
columns:
  airport: IATA code of the airport.
  airport_name: Its name.
  city: City that it serves.
  state: State, two letters.
  departures: Flights that left it.
  mean_delay: Mean delay in minutes; a flight ahead of its time counts below zero.
  worst_delay: Longest delay in minutes.
  late_percent: Share of flights that were more than 15 minutes late, in percent.
tests:
  - not_null: [airport_name, departures]
  - relationships: { column: airport, to: clean.airports.iata }
  - name: late_percent_is_a_percentage
    sql: SELECT * FROM curated.airport_delays WHERE late_percent NOT BETWEEN 0 AND 100
  - accepted_values: { column: state, values: [AK, AL, AR, AZ] }
    severity: warning
---*/
SELECT
  f.origin AS airport,
  a.name AS airport_name,
  a.city,
  a.state,
  count(*) AS departures,
  round(avg(f.delay), 1) AS mean_delay,
  max(f.delay) AS worst_delay,
  round(100.0 * count_if(f.delay > 15) / count(*), 1) AS late_percent
FROM clean.flights AS f
JOIN clean.airports AS a ON a.iata = f.origin
GROUP BY f.origin, a.name, a.city, a.state
