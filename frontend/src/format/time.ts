/** The time of day, with the date where that is not today's. */
export function formatTime(time: Date, language: string, today = new Date()): string {
  const isToday = time.toDateString() === today.toDateString();
  return new Intl.DateTimeFormat(language, {
    ...(!isToday && { dateStyle: "medium" }),
    timeStyle: "medium",
  }).format(time);
}
