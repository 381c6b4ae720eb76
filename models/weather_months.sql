/*---
description: The weather in Seattle month by month. A corrected day makes its month anew, and no other.
materialized: incremental
uniqueKey: month
columns:
  month: First day of the month.
  days: Days with a measurement.
  rainy_days: Days with a millimetre of rain or more.
  rain: Rain and melted snow of the month, in millimetres.
  warmest: Highest temperature, in degrees Celsius.
  coldest: Lowest temperature, in degrees Celsius.
  sunny_days: Days whose weather is called sun.
tests:
  - name: no_month_is_longer_than_a_month
    sql: SELECT month, days FROM curated.weather_months WHERE days > 31 OR rainy_days > days OR sunny_days > days
  - name: months_are_whole
    severity: warning
    sql: SELECT month, days FROM curated.weather_months WHERE days < 28
---*/
SELECT
  date_trunc('month', date) AS month,
  count(*) AS days,
  count_if(precipitation >= 1) AS rainy_days,
  count_if(weather = 'sun') AS sunny_days,
  sum(precipitation) AS rain,
  max(temp_max) AS warmest,
  min(temp_min) AS coldest
FROM curated.seattle_weather
GROUP BY date_trunc('month', date)
