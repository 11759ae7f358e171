// The charts, each one SVG with a sentence for those who do not see it.
import type { ReactNode } from "react";
import { addDays, count, daysBetween, kilograms, shortDate, weekday } from "./format";

interface RingProps {
  value: number;
  target: number | null;
  color: string; // a custom property of style.css, such as "--protein"
  label: string;
  unit: string;
  size: "large" | "small";
  children: ReactNode; // what stands in its middle
}

/** A share of a target. Beyond the target it runs a second time, darker. */
export function Ring({ value, target, color, label, unit, size, children }: RingProps) {
  const width = size === "large" ? 14 : 11;
  const radius = 60 - width / 2;
  const around = 2 * Math.PI * radius;
  const share = target ? value / target : 0;
  const arc = (part: number, className: string) => (
    <circle
      className={className}
      cx="60"
      cy="60"
      r={radius}
      strokeWidth={width}
      stroke={`var(${color})`}
      strokeDasharray={`${Math.min(1, part) * around} ${around}`}
      transform="rotate(-90 60 60)"
    />
  );
  const told = target ? `${label}: ${count(value)} of ${count(target)} ${unit}` : `${label}: ${count(value)} ${unit}`;
  return (
    <div className={`ring ring-${size}`} role="img" aria-label={told}>
      <svg viewBox="0 0 120 120" aria-hidden="true">
        <circle className="ring-track" cx="60" cy="60" r={radius} strokeWidth={width} />
        {share > 0 && arc(share, "ring-arc")}
        {share > 1 && arc(share - 1, "ring-arc ring-over")}
      </svg>
      <div className="ring-middle">{children}</div>
    </div>
  );
}

export function Bar({ value, target, color }: { value: number; target: number | null; color: string }) {
  const percent = target ? Math.min(100, (100 * value) / target) : 0;
  return (
    <div className="bar" aria-hidden="true">
      <div style={{ width: `${percent}%`, background: `var(${color})` }} />
    </div>
  );
}

export interface WeightPoint {
  date: string;
  weightKg: number;
  trendKg: number;
}

const WIDTH = 720;
const HEIGHT = 300;
const LEFT = 46;
const RIGHT = 30;
const TOP = 16;
const BOTTOM = 34;

/** Weighings as dots, their trend as a line, the goal as a dashed one. */
export function WeightChart({ points, goalKg }: { points: readonly WeightPoint[]; goalKg: number | null }) {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last) return <p className="empty">No weighing yet. The first one begins the line.</p>;
  const days = Math.max(1, daysBetween(first.date, last.date));
  const values = points.flatMap((each) => [each.weightKg, each.trendKg]).concat(goalKg ?? []);
  const low = Math.floor(Math.min(...values) - 0.5);
  const high = Math.ceil(Math.max(...values) + 0.5);
  const x = (date: string) => LEFT + (daysBetween(first.date, date) / days) * (WIDTH - LEFT - RIGHT);
  const y = (kg: number) => TOP + ((high - kg) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const line = points.map((each) => `${x(each.date)},${y(each.trendKg)}`).join(" ");
  const goal = goalKg === null ? "" : ` The goal is ${kilograms(goalKg)}.`;
  const told = `Trend of the weight from ${kilograms(first.trendKg)} on ${shortDate(first.date)} to ${kilograms(last.trendKg)} on ${shortDate(last.date)}.${goal}`;
  return (
    <svg className="weight-chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={told}>
      {ticks(low, high).map((kg) => (
        <g key={kg}>
          <line className="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(kg)} y2={y(kg)} />
          <text className="axis" x={LEFT - 8} y={y(kg) + 4} textAnchor="end">
            {kg}
          </text>
        </g>
      ))}
      {datesOf(first.date, days).map((date) => (
        <text className="axis" key={date} x={x(date)} y={HEIGHT - 10} textAnchor="middle">
          {shortDate(date)}
        </text>
      ))}
      {goalKg !== null && (
        <g>
          <line className="goal-line" x1={LEFT} x2={WIDTH - RIGHT} y1={y(goalKg)} y2={y(goalKg)} />
          <text className="goal-name" x={WIDTH - RIGHT} y={y(goalKg) - 7} textAnchor="end">
            goal {kilograms(goalKg)}
          </text>
        </g>
      )}
      <polyline className="trend-line" points={line} />
      {points.map((each) => (
        <circle className="weighing" key={each.date} cx={x(each.date)} cy={y(each.weightKg)} r="4">
          <title>{`${shortDate(each.date)}: ${kilograms(each.weightKg)}`}</title>
        </circle>
      ))}
    </svg>
  );
}

const SPARK_WIDTH = 240;
const SPARK_HEIGHT = 40;

interface HeartLineProps {
  seconds: readonly number[];
  heartRate: readonly (number | null)[];
}

/** The heart over a workout, from its lowest to its highest; nothing where none was recorded. */
export function HeartLine({ seconds, heartRate }: HeartLineProps) {
  const points = seconds.flatMap((at, index) => {
    const rate = heartRate[index];
    return rate === null || rate === undefined ? [] : [{ at, rate }];
  });
  const last = points.at(-1);
  if (!last) return null;
  const low = Math.min(...points.map((each) => each.rate));
  const high = Math.max(...points.map((each) => each.rate));
  const x = (at: number) => (at / Math.max(1, last.at)) * SPARK_WIDTH;
  const y = (rate: number) => 3 + ((high - rate) / Math.max(1, high - low)) * (SPARK_HEIGHT - 6);
  const told = `Heart rate over ${count(last.at / 60)} minutes: from ${count(low)} to ${count(high)} beats a minute.`;
  return (
    <svg className="heart-line" viewBox={`0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`} role="img" aria-label={told}>
      <title>{told}</title>
      <polyline points={points.map((each) => `${x(each.at)},${y(each.rate)}`).join(" ")} />
    </svg>
  );
}

/** Whole kilograms, at most seven of them. */
function ticks(low: number, high: number): number[] {
  const step = Math.max(1, Math.ceil((high - low) / 6));
  return Array.from({ length: Math.floor((high - low) / step) + 1 }, (_, index) => low + index * step);
}

/** At most five dates, the first and the last among them. */
function datesOf(first: string, days: number): string[] {
  const parts = Math.min(4, days);
  return Array.from({ length: parts + 1 }, (_, index) => addDays(first, Math.round((index * days) / parts)));
}

export interface WeekDay {
  date: string;
  eaten: number;
  burned: number;
}

/** Energy eaten and burned on each day, with the target as a line. */
export function WeekChart({ days, targetKcal }: { days: readonly WeekDay[]; targetKcal: number | null }) {
  const high = Math.max(500, targetKcal ?? 0, ...days.flatMap((each) => [each.eaten, each.burned])) * 1.08;
  const y = (kcal: number) => TOP + (1 - kcal / high) * (HEIGHT - TOP - BOTTOM);
  const band = (WIDTH - LEFT - RIGHT) / Math.max(1, days.length);
  const width = Math.min(26, band / 3);
  const told = days.map((each) => `${weekday(each.date)} ${count(each.eaten)} eaten, ${count(each.burned)} burned`).join("; ");
  return (
    <svg className="week-chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`kcal by day. ${told}`}>
      {[0, 0.5, 1].map((part) => {
        const kcal = Math.round((high * part) / 1.08 / 100) * 100;
        return (
          <g key={part}>
            <line className="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(kcal)} y2={y(kcal)} />
            <text className="axis" x={LEFT - 8} y={y(kcal) + 4} textAnchor="end">
              {count(kcal)}
            </text>
          </g>
        );
      })}
      {days.map((each, index) => {
        const middle = LEFT + band * (index + 0.5);
        return (
          <g key={each.date}>
            <rect className="eaten" x={middle - width - 1} width={width} y={y(each.eaten)} height={y(0) - y(each.eaten)} rx="3" />
            <rect className="burned" x={middle + 1} width={width} y={y(each.burned)} height={y(0) - y(each.burned)} rx="3" />
            <text className="axis" x={middle} y={HEIGHT - 10} textAnchor="middle">
              {weekday(each.date)}
            </text>
          </g>
        );
      })}
      {targetKcal !== null && (
        <line className="goal-line" x1={LEFT} x2={WIDTH - RIGHT} y1={y(targetKcal)} y2={y(targetKcal)} />
      )}
    </svg>
  );
}
