// The hand on a map: drag, wheel, pinch and arrow keys change the view in place.
(() => {
  window.bilderatlas = window.bilderatlas || {};

  // A view is { yaw, pitch, zoom, shift: [x, y] }; `redraw` is called after every change.
  window.bilderatlas.steer = (canvas, view, isFlat, redraw) => {
    const fingers = new Map();
    let travelled = 0;

    const shift = (dx, dy) => {
      view.shift[0] += (2 * dx) / canvas.clientWidth;
      view.shift[1] -= (2 * dy) / canvas.clientHeight;
    };
    const turn = (dx, dy) => {
      view.yaw += dx * 0.008;
      view.pitch = Math.max(-1.57, Math.min(1.57, view.pitch + dy * 0.008));
    };
    const zoom = (factor, x, y) => {
      const bounded = Math.max(0.4, Math.min(60, view.zoom * factor)) / view.zoom;
      const at = [(2 * x) / canvas.clientWidth - 1, 1 - (2 * y) / canvas.clientHeight];
      view.shift = view.shift.map((part, axis) => at[axis] - (at[axis] - part) * bounded);
      view.zoom *= bounded;
    };
    const spread = () => {
      const [a, b] = [...fingers.values()];
      return Math.hypot(a.x - b.x, a.y - b.y);
    };

    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      travelled = 0;
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const [dx, dy] = [event.offsetX - before.x, event.offsetY - before.y];
      const apart = fingers.size === 2 ? spread() : 0;
      Object.assign(before, { x: event.offsetX, y: event.offsetY });
      travelled += Math.abs(dx) + Math.abs(dy);
      if (apart) zoom(spread() / apart, event.offsetX, event.offsetY);
      else if (isFlat || event.shiftKey || event.ctrlKey) shift(dx, dy);
      else turn(dx, dy);
      redraw();
    });
    const lift = (event) => fingers.delete(event.pointerId);
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY);
      redraw();
    });
    canvas.addEventListener("keydown", (event) => {
      const [middleX, middleY] = [canvas.clientWidth / 2, canvas.clientHeight / 2];
      const moves = {
        ArrowLeft: () => (isFlat ? shift(-30, 0) : turn(-15, 0)),
        ArrowRight: () => (isFlat ? shift(30, 0) : turn(15, 0)),
        ArrowUp: () => (isFlat ? shift(0, -30) : turn(0, -15)),
        ArrowDown: () => (isFlat ? shift(0, 30) : turn(0, 15)),
        "+": () => zoom(1.25, middleX, middleY),
        "-": () => zoom(0.8, middleX, middleY),
      };
      if (!moves[event.key]) return;
      event.preventDefault();
      moves[event.key]();
      redraw();
    });
    return { isDragging: () => fingers.size > 0, wasClick: () => travelled < 6 };
  };
})();
