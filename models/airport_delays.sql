/*---
description: How punctual each airport is, one row per airport of departure. For whoever plans connections.
materialized: table
uniqueKey: airport
columns:
  airport: IATA code of the airport of departure.
  airport_name: Name of the airport.
  city: City that it serves.
  state: Two-letter code of its state or territory.
  flights: Flights that left it.
  mean_delay: Mean delay on arrival in minutes; early flights count below zero.
  worst_delay: Longest delay in minutes.
  late_percent: Flights that were more than 15 minutes late, in percent.
tests:
  - not_null: [airport_name, mean_delay, late_percent]
  - relationships: { column: airport, to: curated.airports.iata }
  - name: no_flight_is_lost
    sql: |
      SELECT a.flights, f.flights AS flights_in_all
      FROM (SELECT sum(flights) AS flights FROM curated.airport_delays) AS a
      CROSS JOIN (SELECT count(*) AS flights FROM curated.flights) AS f
      WHERE a.flights <> f.flights
  - name: few_airports_are_always_late
    severity: warning
    sql: SELECT airport FROM curated.airport_delays WHERE late_percent > 50
---*/
SELECT
  f.origin AS airport,
  a.name AS airport_name,
  a.city,
  a.state,
  count(*) AS flights,
  round(avg(f.delay), 1) AS mean_delay,
  max(f.delay) AS worst_delay,
  CAST(100.0 * count_if(f.delay > 15) / count(*) AS decimal(5, 1)) AS late_percent
FROM curated.flights AS f
LEFT JOIN curated.airports AS a ON a.iata = f.origin
GROUP BY f.origin, a.name, a.city, a.state
