// Numbers, dates and times as pages show them. A LocalDate is "2026-11-28".
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const count = (value: number): string => whole.format(value);
export const tenths = (value: number): string => fine.format(value);
export const kcal = (value: number): string => `${count(value)} kcal`;
export const kilograms = (value: number): string => `${fine.format(value)} kg`;
export const signed = (value: number): string => (value > 0 ? `+${fine.format(value)}` : fine.format(value).replace("-", "−"));

export function minutes(value: number): string {
  const all = Math.round(value);
  const hours = Math.floor(all / 60);
  return [hours && `${hours} h`, (all % 60 || !hours) && `${all % 60} min`].filter(Boolean).join(" ");
}

/** Noon, so that no time zone moves it to another day. */
const noon = (date: string): Date => new Date(`${date}T12:00:00Z`);

const inWords = (options: Intl.DateTimeFormatOptions) => {
  const format = new Intl.DateTimeFormat("en", { timeZone: "UTC", ...options });
  return (date: string): string => format.format(noon(date));
};
export const longDate = inWords({ weekday: "long", day: "numeric", month: "long" });
export const shortDate = inWords({ day: "numeric", month: "short" });
export const dateWithYear = inWords({ day: "numeric", month: "short", year: "numeric" });
export const weekday = inWords({ weekday: "short" });

export function addDays(date: string, days: number): string {
  const moved = noon(date);
  moved.setUTCDate(moved.getUTCDate() + days);
  return moved.toISOString().slice(0, 10);
}

/** What the device's calendar says, as a LocalDate: a device in Auckland is a day ahead of UTC each morning. */
export const deviceDay = (): string => new Date().toLocaleDateString("sv");

export function daysBetween(first: string, last: string): number {
  return Math.round((noon(last).getTime() - noon(first).getTime()) / 86_400_000);
}

export function clock(instant: string): string {
  return new Date(instant).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/** What the clock shows in a time zone, wherever the browser is. */
export function clockIn(instant: string, timeZone: string): string {
  return new Date(instant).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone });
}

/** "LOWER_BACK" as "lower back", or as "Lower back". */
export const words = (name: string): string => name.toLowerCase().replaceAll("_", " ");
export const title = (name: string): string => name.charAt(0).toUpperCase() + words(name).slice(1);
