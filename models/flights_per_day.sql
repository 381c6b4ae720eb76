/*---
description: Flights and delays of each day, one row per day and airport of departure. Only days with new flights are made anew.
materialized: incremental
uniqueKey: [day, airport]
partitionBy: [month(day)]
columns:
  day: Day of the scheduled departure, local time at the airport.
  airport: IATA code of the airport of departure.
  flights: Flights of that day.
  late_flights: Of these more than 15 minutes late.
  minutes_late: Minutes late in all; early flights count as on time.
  miles: Miles flown.
tests:
  - name: late_flights_are_flights
    sql: SELECT * FROM curated.flights_per_day WHERE late_flights NOT BETWEEN 0 AND flights
---*/
SELECT
  CAST(f.date AS date) AS day,
  f.origin AS airport,
  count(*) AS flights,
  count_if(f.delay > 15) AS late_flights,
  sum(greatest(f.delay, 0)) AS minutes_late,
  sum(f.distance) AS miles
FROM curated.flights AS f
GROUP BY CAST(f.date AS date), f.origin
