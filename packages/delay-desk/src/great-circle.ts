/** Mean radius of the Earth in km (IUGG: (2a + b) / 3 of GRS 80). */
export const EARTH_RADIUS_KM = 6371.0088

const RADIANS = Math.PI / 180

/**
 * Great-circle distance in km on a sphere of the mean radius, by the haversine formula.
 *
 * Latitudes and longitudes are in degrees. Against the WGS 84 ellipsoid the sphere is wrong by at most about
 * half a percent.
 */
export function greatCircle(
  latitude1: number,
  longitude1: number,
  latitude2: number,
  longitude2: number,
): number {
  const alongMeridian = Math.sin(((latitude2 - latitude1) * RADIANS) / 2)
  const alongParallel = Math.sin(((longitude2 - longitude1) * RADIANS) / 2)
  const haversine =
    alongMeridian * alongMeridian +
    Math.cos(latitude1 * RADIANS) * Math.cos(latitude2 * RADIANS) * alongParallel * alongParallel
  // Rounding may lift the haversine of antipodes above 1.
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(haversine)))
}
