// React as our own modules import it; the other vendor files share this one copy.
export { createElement, Fragment, StrictMode, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
export { createRoot } from "react-dom/client";
